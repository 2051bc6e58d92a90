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
