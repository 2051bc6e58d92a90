import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

export interface Target {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a longer blob is sent in: the least that S3 takes. */
const PART_BYTES = 5 * 1024 * 1024;

/** So that clearing up after an upload does not wait for ever on a store that is away. */
const CLEAR_LIMIT_MS = 5_000;

/**
 * Sends what a source gives: in one request where it fits into one part, sent when all of it is there; otherwise part by part. What
 * fails is aborted before this rejects, so nothing is left of it. It holds one part, and its errors are the source's or the library's.
 *
 * The library's own upload leaves a multipart upload behind whose source fails while the upload is being created.
 */
export async function upload(target: Target, source: AsyncIterable<Uint8Array>): Promise<void> {
  const parts = partsOf(source);
  const first = await parts.next();
  if (first.done === true || first.value.isLast) {
    await put(target, first.done === true ? Buffer.alloc(0) : first.value.bytes);
    return;
  }
  await putParts(target, first.value.bytes, parts);
}

async function put({ client, Bucket, Key, ContentType, signal }: Target, Body: Uint8Array): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket, Key, ContentType, Body }), signal && { abortSignal: signal });
}

async function putParts(target: Target, first: Uint8Array, rest: AsyncGenerator<Part, void>): Promise<void> {
  const { client, Bucket, Key, ContentType, signal } = target;
  const options = signal && { abortSignal: signal };
  // Not given up half-way: without the id of an upload it cannot be aborted.
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType, ChecksumAlgorithm: 'CRC32' }),
  );
  const Parts: CompletedPart[] = [];
  const send = async (Body: Uint8Array): Promise<void> => {
    const PartNumber = Parts.length + 1;
    const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' });
    const { ETag, ChecksumCRC32 } = await client.send(part, options);
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  };
  try {
    await send(first);
    for await (const { bytes } of rest) await send(bytes);
    const completed = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand(completed), options);
  } catch (error) {
    // What cannot be aborted now is swept.
    await client
      .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), {
        abortSignal: AbortSignal.timeout(CLEAR_LIMIT_MS),
      })
      .catch(() => {});
    throw error;
  }
}

interface Part {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Cuts a source into parts, all but the last of one length. A part's memory is used again for the next. */
async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void> {
  let buffer: Buffer = Buffer.alloc(0);
  let used = 0;
  for await (const piece of source) {
    for (let taken = 0; taken < piece.length; ) {
      if (used === PART_BYTES) {
        yield { bytes: buffer, isLast: false };
        used = 0;
      }
      const count = Math.min(piece.length - taken, PART_BYTES - used);
      if (used + count > buffer.length) buffer = grown(buffer, used, used + count);
      buffer.set(piece.subarray(taken, taken + count), used);
      used += count;
      taken += count;
    }
  }
  yield { bytes: buffer.subarray(0, used), isLast: true };
}

/** Room for at least so many bytes, a small blob needing little. */
function grown(buffer: Buffer, used: number, least: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(PART_BYTES, Math.max(65_536, least, buffer.length * 2)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
