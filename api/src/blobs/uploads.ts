import { uuidv7 } from '@taskflow/core/ids';
import type { BlobStore, StoredBlob } from '@taskflow/service/blobStore';
import { BlobError } from '@taskflow/service/blobStoreError';
import { Problem } from '../http/problem.ts';
import { bodyTooLarge, type RawBody } from '../http/rawBody.ts';

/** Takes uploads into the blob store. */
export interface Uploads {
  store(userId: string, body: RawBody): Promise<StoredBlob>;
}

export interface UploadsOptions {
  readonly blobs: BlobStore;
  readonly keepDays: number;
  readonly maxBytes: number;
}

/**
 * A large upload holds some five megabytes on its way. Further ones wait, their bytes with their senders, so that the
 * process stays within its memory however many come. Small ones don't wait for them.
 */
const LARGE_AT_ONCE = 8;
const SMALL_BYTES = 1_048_576;

export function uploads({ blobs, keepDays, maxBytes }: UploadsOptions): Uploads {
  let free = LARGE_AT_ONCE;
  const waiting: (() => void)[] = [];
  const enter = (): Promise<void> | undefined => {
    if (free === 0) return new Promise((resolve) => waiting.push(resolve));
    free--;
    return undefined;
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  return {
    async store(userId, { contentType, length, bytes }) {
      const isLarge = length === undefined || length > SMALL_BYTES;
      if (isLarge) await enter();
      try {
        return await blobs.put(bytes, { userId, id: uuidv7(), contentType, keepDays, maxBytes });
      } catch (error) {
        if (!(error instanceof BlobError)) throw error;
        throw error.problem === 'too-large' ? bodyTooLarge(maxBytes) : storeUnavailable(error);
      } finally {
        if (isLarge) leave();
      }
    },
  };
}

function storeUnavailable(cause: BlobError): Problem {
  return new Problem('store-unavailable', 'The blob store does not take the bytes at present.', {
    retryAfter: 5,
    cause,
  });
}
