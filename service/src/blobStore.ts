import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { blobExpiry, blobRef, parseBlobRef } from './blobRef.ts';
import { BlobError, blobErrorOf } from './blobStoreError.ts';
import { type SweptBlobs, sweepBlobs } from './blobStoreSweep.ts';
import type { blobSettings, ConfigOf } from './settings.ts';

/** A blob that the store has, and acknowledged. */
export interface StoredBlob {
  readonly ref: string;
  readonly size: number;
  readonly contentType: string;
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
  readonly expiresAt: number;
}

export interface PutOptions {
  readonly userId: string;
  /** The part of the name that tells it from the owner's others: a UUID, new for each blob. */
  readonly id: string;
  readonly contentType: string;
  /** It is kept for so many days, and to the midnight (UTC) that follows. */
  readonly keepDays: number;
  /** More bytes are refused (`too-large`). */
  readonly maxBytes: number;
  /** Ends the upload; nothing of it stays. */
  readonly signal?: AbortSignal | undefined;
}

export interface OpenOptions {
  /** Whose blob it must be. */
  readonly userId: string;
  /** Only these bytes, both ends included. */
  readonly range?: { readonly first: number; readonly last: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenBlob {
  /** Errors are {@link BlobError}, too. Whoever opened it reads it to its end or destroys it. */
  readonly stream: Readable;
  /** Bytes of the stream: of the range, where one was asked for. */
  readonly size: number;
  readonly contentType: string;
}

/** Bytes under a name, for a limited time. Every method rejects with {@link BlobError}. */
export interface BlobStore {
  /** Stores what a source gives while it gives it, some megabytes in memory. What fails leaves nothing; an error of the source is thrown as it is. */
  put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredBlob>;
  /** Opens a blob. Another user's and an expired one are `not-found`, like one that never was. */
  open(ref: string, options: OpenOptions): Promise<OpenBlob>;
  /** Removes what has expired, and uploads that nobody finished. */
  sweep(now: number): Promise<SweptBlobs>;
  /** Makes the bucket where it is missing. */
  makeBucket(): Promise<void>;
  /** Resolves when the store answers at all. */
  ask(): Promise<void>;
  close(): void;
}

export type BlobStoreConfig = Pick<
  ConfigOf<typeof blobSettings>,
  's3Url' | 's3Region' | 's3Bucket' | 's3AccessKey' | 's3SecretKey' | 's3PathStyle'
>;

export interface BlobStoreOptions {
  /** How often a request is tried where the store does not answer or fails, 2 by default; from the third on with growing delays. */
  readonly attempts?: number;
}

/**
 * The blob store as a client of the S3 API. The library, which takes 37 MB and 60 ms, is loaded at the first use, so that a process
 * that stores nothing does without.
 */
export function createBlobStore(config: BlobStoreConfig, options: BlobStoreOptions = {}): BlobStore {
  const Bucket = config.s3Bucket;
  let connected: Promise<Connected> | undefined;
  const connect = (): Promise<Connected> => {
    connected ??= connectS3(config, options);
    return connected;
  };
  /** Runs a request, and says in our words why it failed. */
  const asking = async <T>(request: (s3: Connected) => Promise<T>): Promise<T> => {
    try {
      return await request(await connect());
    } catch (error) {
      throw blobErrorOf(error);
    }
  };
  return {
    async put(source, { userId, id, contentType, keepDays, maxBytes, signal }) {
      signal?.throwIfAborted();
      const expiresAt = blobExpiry(Date.now(), keepDays);
      const ref = blobRef({ expiresAt, userId, id });
      const measured = measure(source, maxBytes, ref);
      try {
        const { client, upload } = await connect();
        await upload({ client, Bucket, Key: ref, ContentType: contentType, signal }, measured.bytes());
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw measured.failure() ?? blobErrorOf(error);
      }
      return { ref, size: measured.size(), contentType, sha256: measured.sha256(), expiresAt };
    },

    async open(ref, { userId, range, signal }) {
      const name = parseBlobRef(ref);
      if (name === undefined || name.userId !== userId || name.expiresAt <= Date.now()) {
        throw new BlobError('not-found', `There is no blob ${ref}`);
      }
      return asking(async ({ client, GetObjectCommand }) => {
        const Range = range && `bytes=${range.first}-${range.last}`;
        const { Body, ContentLength, ContentType } = await client.send(
          new GetObjectCommand({ Bucket, Key: ref, Range }),
          signal && { abortSignal: signal },
        );
        const body = Body as Readable;
        const stream = Readable.from(inOurWords(body), { objectMode: false, ...(signal && { signal }) });
        // Also where nobody ever reads it.
        stream.once('close', () => body.destroy());
        return {
          stream,
          size: ContentLength ?? 0,
          contentType: ContentType ?? 'application/octet-stream',
        };
      });
    },

    sweep: (now) => asking(({ client }) => sweepBlobs(client, Bucket, now)),

    makeBucket: () =>
      asking(async ({ client, HeadBucketCommand, CreateBucketCommand }) => {
        try {
          await client.send(new HeadBucketCommand({ Bucket }));
        } catch (error) {
          if ((error as Error).name !== 'NotFound') throw error;
          await client.send(new CreateBucketCommand({ Bucket }));
        }
      }),

    async ask() {
      // Without the library: a health check must not cost a process its memory.
      try {
        const response = await fetch(config.s3Url, { signal: AbortSignal.timeout(2_000) });
        await response.body?.cancel();
      } catch (error) {
        throw blobErrorOf(error);
      }
    },

    close() {
      void connected?.then(({ client }) => client.destroy());
    },
  };
}

type Connected = Awaited<ReturnType<typeof connectS3>>;

async function connectS3(config: BlobStoreConfig, { attempts = 2 }: BlobStoreOptions) {
  const { S3Client, GetObjectCommand, HeadBucketCommand, CreateBucketCommand } = await import('@aws-sdk/client-s3');
  const { upload } = await import('./blobStoreUpload.ts');
  const client: S3Client = new S3Client({
    endpoint: config.s3Url,
    region: config.s3Region,
    forcePathStyle: config.s3PathStyle,
    credentials: { accessKeyId: config.s3AccessKey, secretAccessKey: config.s3SecretKey },
    maxAttempts: attempts,
    // Its check hides the connection behind a stream that does not close it. Whoever reads a whole blob has its SHA-256.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A store that falls silent counts as away.
    requestHandler: { connectionTimeout: 2_000, socketTimeout: 30_000 },
  });
  return { client, upload, GetObjectCommand, HeadBucketCommand, CreateBucketCommand };
}

/** Counts and hashes what a source gives on its way, and remembers how it failed. */
function measure(source: AsyncIterable<Uint8Array>, maxBytes: number, ref: string) {
  const hash = createHash('sha256');
  let size = 0;
  let failed: { error: unknown } | undefined;
  return {
    async *bytes(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of source) {
          size += chunk.byteLength;
          if (size > maxBytes) throw new BlobError('too-large', `${ref} has more than ${maxBytes} bytes`);
          hash.update(chunk);
          yield chunk;
        }
      } catch (error) {
        failed = { error };
        throw error;
      }
    },
    size: () => size,
    sha256: () => hash.digest('hex'),
    failure: () => failed?.error,
  };
}

async function* inOurWords(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw blobErrorOf(error);
  }
}
