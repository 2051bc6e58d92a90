import {
  baseSettings,
  blobSettings,
  flag,
  integer,
  list,
  port,
  type Settings,
  text,
  url,
} from '@taskflow/service/settings';
import { z } from 'zod';
import { workerAddresses } from './preview/workerAddresses.ts';

/** What the api reads from its environment. */
export const settings = {
  ...baseSettings,
  ...blobSettings,
  apiPort: {
    variable: 'TASKFLOW_API_PORT',
    description: 'Port of the REST API; 0 takes any free one.',
    default: '8080',
    schema: port,
  },
  apiHost: {
    variable: 'TASKFLOW_API_HOST',
    description: 'Address that the port is bound to (`0.0.0.0` in a container).',
    default: '127.0.0.1',
    schema: text,
  },
  publicUrl: {
    variable: 'TASKFLOW_PUBLIC_URL',
    description: 'Where callers reach the api, for its documentation; without it the address that it listens on.',
    schema: url('http:', 'https:').optional(),
  },
  devKey: {
    variable: 'TASKFLOW_DEV_KEY',
    description: 'API key of the development account, an administrator. For development only.',
    schema: z
      .string({ error: 'is required' })
      .regex(/^[\x21-\x7e]{8,200}$/, 'must be 8 to 200 printable ASCII characters without spaces'),
    secret: true,
  },
  expectTypes: {
    variable: 'TASKFLOW_EXPECT_TYPES',
    description: 'Task types, separated by commas, that must have been published before the api is ready.',
    default: '',
    schema: list,
  },
  previewWorkers: {
    variable: 'TASKFLOW_PREVIEW_WORKERS',
    description:
      'Where Go workers serve gRPC, for previews: `host:port`, separated by commas; of a name all addresses are used in turn. There are no previews if empty.',
    default: '',
    schema: workerAddresses,
  },
  maxTaskBytes: {
    variable: 'TASKFLOW_MAX_TASK_BYTES',
    description: 'Most bytes that a task may have as JSON.',
    default: '262144',
    schema: integer({ min: 1_024, max: 16_777_216 }),
  },
  maxBatchBytes: {
    variable: 'TASKFLOW_MAX_BATCH_BYTES',
    description: 'Most bytes that a batch may have as JSON.',
    default: '8388608',
    schema: integer({ min: 1_024, max: 134_217_728 }),
  },
  maxJsonDepth: {
    variable: 'TASKFLOW_MAX_JSON_DEPTH',
    description: 'How many arrays and objects of a body may be nested in each other.',
    default: '64',
    schema: integer({ min: 8, max: 1_000 }),
  },
  idempotencyKeepMs: {
    variable: 'TASKFLOW_IDEMPOTENCY_KEEP_MS',
    description: 'How long an idempotency key is remembered, in milliseconds.',
    default: '86400000',
    schema: integer({ min: 1_000, max: 2_592_000_000 }),
  },
  blobKeepDays: {
    variable: 'TASKFLOW_BLOB_KEEP_DAYS',
    description: 'Days for which an upload is kept; it goes at the midnight (UTC) that follows.',
    default: '7',
    schema: integer({ min: 1, max: 3_650 }),
  },
  appendTimeoutMs: {
    variable: 'TASKFLOW_APPEND_TIMEOUT_MS',
    description:
      'How long a submission waits for the log to acknowledge it before it is answered 503, in milliseconds.',
    default: '10000',
    schema: integer({ min: 500, max: 120_000 }),
  },
  accessLog: {
    variable: 'TASKFLOW_ACCESS_LOG',
    description: 'Log each request, not only those that failed.',
    default: 'false',
    schema: flag,
  },
} as const satisfies Settings;
