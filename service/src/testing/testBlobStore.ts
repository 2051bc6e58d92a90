import { randomUUID } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type BlobStore, type BlobStoreConfig, createBlobStore } from '../blobStore.ts';
import { readConfig } from '../config.ts';
import { blobSettings } from '../settings.ts';

/** A bucket of its own for a test file, on the store of TASKFLOW_S3_URL. */
export interface TestBlobStore {
  readonly config: BlobStoreConfig;
  readonly store: BlobStore;
  /** Puts an object under any name: a blob of long ago. */
  place(key: string): Promise<void>;
  /** The names of all objects, and of uploads that are not finished. */
  held(): Promise<string[]>;
  close(): void;
}

export async function createTestBlobStore(): Promise<TestBlobStore> {
  if (process.env.TASKFLOW_S3_URL === undefined) {
    throw new Error('TASKFLOW_S3_URL is not set: run this test by `make integration`');
  }
  const config = { ...readConfig(blobSettings), s3Bucket: `test-${randomUUID()}` };
  const store = createBlobStore(config);
  await store.makeBucket();
  const client = new S3Client({
    endpoint: config.s3Url,
    region: config.s3Region,
    forcePathStyle: true,
    credentials: { accessKeyId: config.s3AccessKey, secretAccessKey: config.s3SecretKey },
  });
  const Bucket = config.s3Bucket;
  return {
    config,
    store,
    async place(key) {
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body: 'placed' }));
    },
    async held() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return [...Contents, ...Uploads].map(({ Key = '' }) => Key);
    },
    close() {
      store.close();
      client.destroy();
    },
  };
}
