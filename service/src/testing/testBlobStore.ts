import { randomUUID } from 'node:crypto';
import { type BlobStore, type BlobStoreConfig, createBlobStore } from '../blobStore.ts';
import { readConfig } from '../config.ts';
import { blobSettings } from '../settings.ts';

/** A bucket of its own for a test file, on the store of TASKFLOW_S3_URL. */
export interface TestBlobStore {
  readonly config: BlobStoreConfig;
  readonly store: BlobStore;
}

export async function createTestBlobStore(): Promise<TestBlobStore> {
  if (process.env.TASKFLOW_S3_URL === undefined) {
    throw new Error('TASKFLOW_S3_URL is not set: run this test by `make integration`');
  }
  const config = { ...readConfig(blobSettings), s3Bucket: `test-${randomUUID()}` };
  const store = createBlobStore(config);
  await store.makeBucket();
  return { config, store };
}
