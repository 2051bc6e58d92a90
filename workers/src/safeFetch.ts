import { Client, type Dispatcher } from 'undici';
import { addressNotAllowed, fetchError } from './fetch/fetchError.ts';
import { guardedConnect, type Resolve, systemResolve } from './fetch/guardedConnect.ts';
import { contentEncodings, readBody, tooLarge } from './fetch/readBody.ts';
import { nextHop } from './fetch/redirect.ts';
import type { AllowList } from './fetchAllow.ts';
import { TaskError } from './taskError.ts';

/** Limits of one fetch, redirects included. */
export interface FetchLimits {
  /** Of the decoded body. */
  maxBodyBytes: number;
  maxRedirects: number;
  /** For each connection: name resolution, TCP and TLS. */
  connectTimeoutMs: number;
  /** From the request sent to the head of the response. */
  headersTimeoutMs: number;
  /** Between two pieces of the body. */
  idleTimeoutMs: number;
  /** For everything, so that a server that drips bytes cannot hold a slot. */
  totalTimeoutMs: number;
}

export interface FetchOptions {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  limits?: Partial<FetchLimits>;
  /** Statuses that are answers in themselves even where they would redirect. */
  finalStatuses?: readonly number[];
}

/** Milliseconds. `dns` and `connect` are sums over the redirects, `ttfb` is the last hop's, `total` runs until asked. */
export interface FetchTimings {
  dnsMs: number;
  connectMs: number;
  ttfbMs: number;
  totalMs: number;
}

export interface FetchedResponse {
  /** Where the answer came from, after redirects, without user info and fragment. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly redirects: number;
  /** The whole body, decoded from its content encodings. Once. Throws `BODY_TOO_LARGE`, `TIMEOUT`, `CONNECT_FAILED`, `BODY_INVALID`. */
  body(): Promise<Buffer>;
  /** Lets go of the connection without reading on. Harmless after `body()`. */
  discard(): void;
  timings(): FetchTimings;
}

/** Fetches a URL that a stranger chose. Throws `TaskError`s only. */
export type SafeFetch = (url: string, options?: FetchOptions) => Promise<FetchedResponse>;

export const defaultFetchLimits: FetchLimits = {
  maxBodyBytes: 5 * 1024 * 1024,
  maxRedirects: 10,
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  idleTimeoutMs: 10_000,
  totalTimeoutMs: 25_000,
};

const MAX_HEADER_BYTES = 32 * 1024;
const USER_AGENT = 'TaskFlowHub/0.1 (+https://github.com/taskflow-hub/taskflow-hub)';

/** Makes the fetcher that all tasks of a process share. It keeps nothing between two fetches: no pool, no cookies, no cache. */
export function createSafeFetch(config: {
  allow: AllowList;
  resolve?: Resolve;
  limits?: Partial<FetchLimits>;
}): SafeFetch {
  const resolve = config.resolve ?? systemResolve;
  return async (url, options = {}) => {
    const limits = { ...defaultFetchLimits, ...config.limits, ...options.limits };
    const exchange = new Exchange(limits, options.signal);
    let hop = firstHop(url, options);
    for (let redirects = 0; ; redirects++) {
      const answer = await exchange.send(hop, { allow: config.allow, resolve });
      const next = options.finalStatuses?.includes(answer.statusCode)
        ? undefined
        : nextHop(hop, answer.statusCode, headerOf(answer, 'location'));
      if (next === undefined) return exchange.response(hop, answer, redirects);
      exchange.release();
      if (redirects === limits.maxRedirects) {
        throw new TaskError('TOO_MANY_REDIRECTS', `More than ${limits.maxRedirects} redirects`, {
          retryable: false,
          details: { maxRedirects: limits.maxRedirects },
        });
      }
      hop = next;
    }
  };
}

/** One request of a fetch. */
export interface Hop {
  /** Without user info and fragment. */
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array | undefined;
}

function firstHop(text: string, options: FetchOptions): Hop {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TaskError('PAYLOAD_INVALID', 'The URL cannot be parsed', { retryable: false });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw addressNotAllowed('Only http and https URLs are fetched');
  const headers: Record<string, string> = { 'user-agent': USER_AGENT, accept: '*/*' };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  url.hash = '';
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  return { url, method: options.method ?? 'GET', headers, body: options.body };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The state of one fetch over its hops: time limits, timings, the connection that is open. */
class Exchange {
  private readonly started = performance.now();
  private readonly limits: FetchLimits;
  private readonly deadline: AbortSignal;
  private readonly signal: AbortSignal;
  private client: Client | undefined;
  private dnsMs = 0;
  private connectMs = 0;
  private ttfbMs = 0;

  constructor(limits: FetchLimits, signal: AbortSignal | undefined) {
    this.limits = limits;
    this.deadline = AbortSignal.timeout(limits.totalTimeoutMs);
    this.signal = signal ? AbortSignal.any([signal, this.deadline]) : this.deadline;
  }

  async send(hop: Hop, guard: { allow: AllowList; resolve: Resolve }): Promise<Dispatcher.ResponseData> {
    const { limits } = this;
    let connected = performance.now();
    this.client = new Client(hop.url.origin, {
      connect: guardedConnect({
        ...guard,
        timeoutMs: limits.connectTimeoutMs,
        onResolved: (milliseconds) => {
          this.dnsMs += milliseconds;
        },
        onConnected: (milliseconds) => {
          this.connectMs += milliseconds;
          connected = performance.now();
        },
      }),
      pipelining: 0,
      headersTimeout: limits.headersTimeoutMs,
      bodyTimeout: limits.idleTimeoutMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    try {
      const answer = await this.client.request({
        path: hop.url.pathname + hop.url.search,
        method: hop.method as Dispatcher.HttpMethod,
        headers: { ...hop.headers, 'accept-encoding': 'gzip, deflate, br, zstd' },
        body: hop.body ?? null,
        signal: this.signal,
      });
      // A body that is thrown away ends with an error; nobody waits for it.
      answer.body.on('error', () => {});
      this.ttfbMs = performance.now() - connected;
      return answer;
    } catch (error) {
      throw this.failure(error, hop.url.origin);
    }
  }

  response(hop: Hop, answer: Dispatcher.ResponseData, redirects: number): FetchedResponse {
    const { maxBodyBytes } = this.limits;
    const encodings = contentEncodings(headerOf(answer, 'content-encoding'));
    const read = async (): Promise<Buffer> => {
      try {
        const length = Number(headerOf(answer, 'content-length') ?? 0);
        if (hop.method !== 'HEAD' && length > maxBodyBytes) throw tooLarge(maxBodyBytes);
        return await readBody(answer.body, { encodings, maxBytes: maxBodyBytes, signal: this.signal });
      } catch (error) {
        throw this.failure(error, hop.url.origin);
      } finally {
        this.release();
      }
    };
    return {
      url: hop.url.href,
      status: answer.statusCode,
      headers: joinHeaders(answer.headers),
      redirects,
      body: read,
      discard: () => this.release(),
      timings: () => ({
        dnsMs: round(this.dnsMs),
        connectMs: round(this.connectMs),
        ttfbMs: round(this.ttfbMs),
        totalMs: round(performance.now() - this.started),
      }),
    };
  }

  release(): void {
    this.client?.destroy().catch(() => {});
    this.client = undefined;
  }

  /** The caller's own abort goes through as it is; everything else becomes a `TaskError`. */
  private failure(error: unknown, origin: string): unknown {
    this.release();
    if (error instanceof TaskError) return error;
    if (this.deadline.aborted) {
      return new TaskError('TIMEOUT', `The exchange with ${origin} took more than ${this.limits.totalTimeoutMs} ms`);
    }
    if (this.signal.aborted) return this.signal.reason;
    return fetchError(error, origin);
  }
}

const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

function headerOf(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function joinHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const joined: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
