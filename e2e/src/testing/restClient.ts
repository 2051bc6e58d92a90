import { setTimeout as delay } from 'node:timers/promises';

/** What the API answered: the status, the headers, and the body parsed when it is JSON. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** A task as the API shows it; the fields that the tests look at. */
export interface ShownTask {
  readonly id: string;
  readonly userId: string;
  readonly type: string;
  readonly priority: string;
  readonly status: string;
  readonly attempt: number;
  readonly generation: number;
  readonly retryCount: number;
  readonly createdAt: string;
  readonly queuedAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly tags: readonly string[];
  readonly error: { code: string; message: string; retryable: boolean } | null;
  readonly result: { storage: string; ref: string | null; size: number; sha256: string } | null;
}

/** A problem document (RFC 9457) as the API answers it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly requestId?: string;
  readonly errors?: readonly { path: string; message: string }[];
}

/** A plain user of the REST API: it knows the address and the key, and nothing else of the system. */
export interface RestClient {
  get<Body = unknown>(path: string): Promise<Answer<Body>>;
  post<Body = unknown>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  send<Body = unknown>(path: string, init: RequestInit): Promise<Answer<Body>>;
  /** Polls a task until it has ended; rejects when it has not within `timeoutMs`, saying how it then stood. */
  ended(id: string, timeoutMs?: number): Promise<ShownTask>;
}

const ENDED: ReadonlySet<string> = new Set(['success', 'failed', 'cancelled']);

/** Makes a client of the system that `where` names at each call, authorised by its key unless a call sets its own. */
export function restClient(where: () => { readonly apiUrl: string; readonly key: string }): RestClient {
  const send = async <Body>(path: string, init: RequestInit): Promise<Answer<Body>> => {
    const { apiUrl, key } = where();
    const response = await fetch(`${apiUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...(init.headers as Record<string, string> | undefined) },
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  };
  return {
    send,
    get: (path) => send(path, { method: 'GET' }),
    post: (path, body, headers = {}) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async ended(id, timeoutMs = 30_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const { status, body } = await send<ShownTask>(`/tasks/${id}`, { method: 'GET' });
        if (status === 200 && ENDED.has(body.status)) return body;
        if (performance.now() > deadline) {
          throw new Error(`task ${id} has not ended after ${timeoutMs} ms: ${status} ${JSON.stringify(body)}`);
        }
        await delay(25);
      }
    },
  };
}
