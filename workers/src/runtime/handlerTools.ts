import type { SafeFetch } from '../safeFetch.ts';

/** What this process gives to handlers, the same for every run. */
export interface HandlerTools {
  readonly fetch: SafeFetch;
}
