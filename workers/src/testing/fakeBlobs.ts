import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { blobExpiry, blobRef } from '@taskflow/service/blobRef';
import type { StoredBlob } from '@taskflow/service/blobStore';
import type { BlobTools } from '../taskBlobs.ts';
import { TaskError } from '../taskError.ts';

export interface FakeBlobs extends BlobTools {
  readonly held: ReadonlyMap<string, { readonly blob: StoredBlob; readonly bytes: Buffer }>;
}

/** A blob store in memory, for tests of handlers and of the runtime: what it does to bytes the real one's tests say. */
export function fakeBlobs({ maxBytes = 1_000_000_000 } = {}): FakeBlobs {
  const held = new Map<string, { blob: StoredBlob; bytes: Buffer }>();
  const keep = (userId: string, bytes: Buffer, contentType: string): StoredBlob => {
    const expiresAt = blobExpiry(Date.now(), 30);
    const ref = blobRef({ expiresAt, userId, id: randomUUID() });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const blob = { ref, size: bytes.length, contentType, sha256, expiresAt };
    held.set(ref, { blob, bytes });
    return blob;
  };
  return {
    held,
    maxBytes,
    of: (userId) => ({
      async open(ref) {
        const found = held.get(ref);
        if (found === undefined) throw new TaskError('BLOB_NOT_FOUND', `There is no blob ${ref}`, { retryable: false });
        const { size, contentType } = found.blob;
        return { stream: Readable.from([found.bytes]), size, contentType };
      },
      store: async (source, { contentType }) => keep(userId, await buffer(source), contentType),
    }),
    storeResult: async (userId, json) => keep(userId, Buffer.from(json), 'application/json'),
  };
}
