import type { TaskResult } from '@taskflow/schemas/events';
import type { BlobStore } from '@taskflow/service/blobStore';
import { BlobError } from '@taskflow/service/blobStoreError';
import { byteRangeOf } from '../http/byteRange.ts';
import type { Answer } from '../http/endpoint.ts';
import { Problem } from '../http/problem.ts';

export interface BlobRequest {
  /** Who owns the task, and so the blob. */
  readonly userId: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly signal: AbortSignal;
}

/** The answer that streams a result out of the blob store, or a part of it. */
export async function blobResult(blobs: BlobStore, result: TaskResult, request: BlobRequest): Promise<Answer> {
  const { size, sha256, contentType } = result;
  const etag = `"${sha256}"`;
  const headers = {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    // Bytes of strangers are to be saved, not shown as a page of this server.
    'Content-Disposition': 'attachment',
  };
  const asked = request.ifRange === undefined || request.ifRange === etag ? request.range : undefined;
  const range = byteRangeOf(asked, size);
  if (range === 'unsatisfiable') {
    const detail = `The result has ${size} bytes; none of them lies in the range ${asked}.`;
    throw new Problem('range-not-satisfiable', detail, { headers: { 'Content-Range': `bytes */${size}` } });
  }
  const blob = await open(blobs, result.ref ?? '', { userId: request.userId, range, signal: request.signal });
  const stream = { contentType, length: blob.size, readable: blob.stream };
  if (range === undefined) return { status: 200, headers, stream };
  const part = `bytes ${range.first}-${range.last}/${size}`;
  return { status: 206, headers: { ...headers, 'Content-Range': part }, stream };
}

async function open(blobs: BlobStore, ref: string, options: Parameters<BlobStore['open']>[1]) {
  try {
    return await blobs.open(ref, options);
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    if (error.problem === 'not-found') {
      throw new Problem('result-expired', 'The blob store has the result no more.', { cause: error });
    }
    const detail = 'The blob store does not answer at present; the result is safe.';
    throw new Problem('store-unavailable', detail, { retryAfter: 5, cause: error });
  }
}
