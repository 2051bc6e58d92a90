import type { SafeFetch } from '../safeFetch.ts';
import type { BlobTools } from '../taskBlobs.ts';

/** What this process gives to handlers, the same for every run. */
export interface HandlerTools {
  readonly fetch: SafeFetch;
  readonly blobs: BlobTools;
}
