/** A task as the API shows it, as far as the demo looks. */
export interface ShownTask {
  id: string;
  type: string;
  status: string;
  attempt: number;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  error: { code: string; message: string } | null;
  result: { storage: string; ref: string | null; preview: string | null; size: number; sha256: string } | null;
}

export interface ShownEvent {
  event: string;
  at: string;
  attempt: number;
  workerId: string | null;
  topic: string;
  partition: number;
  offset: number;
}

export interface ShownLine {
  at: string;
  level: string;
  message: string;
  fields: unknown;
}

/** The few calls of the REST API that the demo makes. */
export interface Client {
  readonly url: string;
  submit(tasks: readonly { type: string; payload: unknown }[]): Promise<ShownTask[]>;
  task(id: string): Promise<ShownTask>;
  result(id: string): Promise<unknown>;
  events(id: string): Promise<ShownEvent[]>;
  logs(id: string): Promise<ShownLine[]>;
}

export function client(url: string, key: string): Client {
  async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
  const items = async <T>(path: string) => (await call<{ items: T[] }>(path)).items;
  return {
    url,
    submit: async (tasks) =>
      (await call<{ items: ShownTask[] }>('/tasks/batch', { method: 'POST', body: JSON.stringify({ tasks }) })).items,
    task: (id) => call(`/tasks/${id}`),
    result: (id) => call(`/tasks/${id}/result`),
    events: (id) => items(`/tasks/${id}/events`),
    logs: (id) => items(`/tasks/${id}/logs`),
  };
}
