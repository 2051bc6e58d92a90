import {
  blobSettings,
  flag,
  integer,
  kafkaSettings,
  list,
  logSettings,
  type Settings,
  statusSettings,
  stopSettings,
} from '@taskflow/service/settings';
import { z } from 'zod';
import { type AllowList, parseAllowList } from './fetchAllow.ts';
import { protocolSettings } from './protocolSettings.ts';

/** `64` for every type, or `64,noop=1000,web_scrape=16`. */
export interface SlotSetting {
  readonly everyType: number | undefined;
  readonly byType: ReadonlyMap<string, number>;
}

const slots: z.ZodType<SlotSetting, string | undefined> = z
  .string({ error: 'is required' })
  .transform((value, context) => {
    const byType = new Map<string, number>();
    let everyType: number | undefined;
    for (const part of value.split(',').map((word) => word.trim())) {
      if (part === '') continue;
      const [, type, count] = /^(?:([a-z][a-z0-9_]*)=)?([1-9]\d{0,4})$/.exec(part) ?? [];
      if (count === undefined) {
        context.addIssue('must be a number, or type=number, separated by commas: 64,noop=1000');
        return z.NEVER;
      }
      if (type === undefined) everyType = Number(count);
      else byType.set(type, Number(count));
    }
    return { everyType, byType };
  });

const allowList: z.ZodType<AllowList, string | undefined> = z
  .string({ error: 'is required' })
  .transform((value, context) => {
    try {
      return parseAllowList(value);
    } catch (error) {
      context.addIssue(`: ${error instanceof Error ? error.message : String(error)}`);
      return z.NEVER;
    }
  });

/** What a worker reads from the environment. */
export const settings = {
  ...kafkaSettings,
  ...blobSettings,
  ...logSettings,
  ...statusSettings,
  ...stopSettings,
  eventsPartitions: {
    variable: 'TASKFLOW_PARTITIONS',
    description: 'Partitions of the events topics of a type. More can be added later, fewer cannot.',
    default: '3',
    schema: integer({ min: 1, max: 1_000 }),
  },
  queuePartitions: {
    variable: 'TASKFLOW_QUEUE_PARTITIONS',
    description: 'Partitions of the queue topics of a type: one lets every worker see all work.',
    default: '1',
    schema: integer({ min: 1, max: 1_000 }),
  },
  replicationFactor: {
    variable: 'TASKFLOW_REPLICATION_FACTOR',
    description: 'Copies of each topic that is created.',
    default: '1',
    schema: integer({ min: 1, max: 99 }),
  },
  minInsyncReplicas: {
    variable: 'TASKFLOW_MIN_INSYNC_REPLICAS',
    description: 'Copies that must have a record before it counts as written.',
    default: '1',
    schema: integer({ min: 1, max: 99 }),
  },
  retentionMs: {
    variable: 'TASKFLOW_RETENTION_MS',
    description: 'How long queue and events topics keep records, in milliseconds; -1 for ever.',
    default: '-1',
    schema: integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  },
  workerName: {
    variable: 'TASKFLOW_WORKER_NAME',
    description: 'Name of this worker; with its process id and a random suffix it signs events.',
    default: 'worker',
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'must be letters, digits, - and _, at most 63'),
  },
  taskTypes: {
    variable: 'TASKFLOW_TASK_TYPES',
    description: 'Task types that this worker runs, separated by commas; all that it has if empty.',
    default: '',
    schema: list,
  },
  testTypes: {
    variable: 'TASKFLOW_TEST_TYPES',
    description: 'Whether the types for tests and benchmarks (`noop`) run.',
    default: 'true',
    schema: flag,
  },
  slots: {
    variable: 'TASKFLOW_SLOTS',
    description:
      'Tasks of a type that run at once in a process: a number for every type, or `type=number`, separated by commas. By default 64, `noop` 1,000.',
    default: '',
    schema: slots,
  },
  fetchAllow: {
    variable: 'TASKFLOW_FETCH_ALLOW',
    description:
      'Private addresses that tasks may fetch from: host names, addresses and CIDR ranges, each with a port if only that one is meant (`127.0.0.1:4000,10.1.0.0/16`). None by default.',
    default: '',
    schema: allowList,
  },
  resultBlobKeepDays: {
    variable: 'TASKFLOW_RESULT_BLOB_KEEP_DAYS',
    description: 'Days for which a result in the blob store is kept; it goes at the midnight (UTC) that follows.',
    default: '30',
    schema: integer({ min: 1, max: 3_650 }),
  },
  graceMs: {
    variable: 'TASKFLOW_STOP_GRACE_MS',
    description: 'How long running tasks may go on after a worker was asked to stop, in milliseconds.',
    default: '10000',
    schema: integer({ min: 0, max: 3_600_000 }),
  },
  stuckExitMs: {
    variable: 'TASKFLOW_STUCK_EXIT_MS',
    description:
      'A worker that has nothing in hand and whose queues have not answered for so many milliseconds ends with code 1, to be started again.',
    default: '300000',
    schema: integer({ min: 30_000, max: 86_400_000 }),
  },
  ...protocolSettings,
} as const satisfies Settings;
