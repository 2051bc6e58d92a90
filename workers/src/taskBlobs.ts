import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@taskflow/core/ids';
import { backoffMs } from '@taskflow/log/backoff';
import type { BlobStore, OpenBlob, StoredBlob } from '@taskflow/service/blobStore';
import { BlobError } from '@taskflow/service/blobStoreError';
import { TaskError } from './taskError.ts';

/** The blob store as a task sees it: what its user has uploaded, and files that it makes. */
export interface TaskBlobs {
  /**
   * Opens a blob of the task's user, by its reference. Rejects with `BLOB_NOT_FOUND` where the user has none by it, or no more.
   * Whoever opened the stream reads it to its end or destroys it.
   */
  open(ref: string): Promise<OpenBlob>;
  /** Stores a file while it is made, some megabytes in memory. Return {@link FileResult} to make it the task's result. */
  store(source: AsyncIterable<Uint8Array>, file: { readonly contentType: string }): Promise<StoredBlob>;
}

/** A result that is a file: the file is what `GET /tasks/{id}/result` sends, and the figures, by the type's result schema, describe it. */
export class FileResult<Figures> {
  readonly blob: StoredBlob;
  readonly figures: Figures;

  constructor(blob: StoredBlob, figures: Figures) {
    this.blob = blob;
    this.figures = figures;
  }
}

/** What the runtime stores by. */
export interface BlobTools {
  /** Most bytes of a result. */
  readonly maxBytes: number;
  /** The store in the name of a task; `signal` ends with its attempt. */
  of(userId: string, signal: AbortSignal): TaskBlobs;
  /** Stores a result that is too large for its event. A store that is away for a while is waited for. */
  storeResult(userId: string, json: string, signal: AbortSignal): Promise<StoredBlob>;
}

/** A store that does not come back within this time fails the attempt. */
const PATIENCE_MS = 30_000;
const BACKOFF = { baseMs: 100, capMs: 3_000 };

export function blobTools(store: BlobStore, { keepDays, maxBytes }: { keepDays: number; maxBytes: number }): BlobTools {
  const put = (userId: string, source: AsyncIterable<Uint8Array>, contentType: string, signal: AbortSignal) =>
    store.put(source, { userId, id: uuidv7(), contentType, keepDays, maxBytes, signal });
  return {
    maxBytes,
    of: (userId, signal) => ({
      open: (ref) => store.open(ref, { userId, signal }).catch(throwAsTask),
      store: (source, { contentType }) => put(userId, source, contentType, signal).catch(throwAsTask),
    }),
    async storeResult(userId, json, signal) {
      const deadline = performance.now() + PATIENCE_MS;
      for (let attempt = 1; ; attempt++) {
        try {
          return await put(userId, whole(json), 'application/json', signal);
        } catch (error) {
          const isAway = error instanceof BlobError && error.problem === 'unavailable';
          const pauseMs = backoffMs(attempt, BACKOFF);
          if (!isAway || performance.now() + pauseMs > deadline) return throwAsTask(error);
          await delay(pauseMs, undefined, { signal });
        }
      }
    },
  };
}

async function* whole(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function throwAsTask(error: unknown): never {
  if (!(error instanceof BlobError)) throw error;
  const { problem, message } = error;
  switch (problem) {
    case 'not-found':
      throw new TaskError('BLOB_NOT_FOUND', message, { retryable: false });
    case 'too-large':
      throw new TaskError('RESULT_TOO_LARGE', message, { retryable: false });
    case 'unavailable':
      throw new TaskError('STORE_UNAVAILABLE', message, { retryable: true });
  }
}
