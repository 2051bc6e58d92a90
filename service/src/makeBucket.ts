import { createBlobStore } from './blobStore.ts';
import { loadConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { blobSettings, logSettings } from './settings.ts';

/** A part of the setup: makes the bucket of the blobs where it is missing. */
const config = loadConfig({ ...blobSettings, ...logSettings });
const logger = createLogger({ service: 'make-bucket', level: config.logLevel });
const store = createBlobStore(config, { attempts: 5 });

try {
  await store.makeBucket();
  logger.info('The bucket of the blobs is there', { bucket: config.s3Bucket });
} catch (error) {
  logger.error('The bucket of the blobs could not be made', { error });
  process.exitCode = 1;
} finally {
  store.close();
}
