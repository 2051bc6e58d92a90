import { randomUUID } from 'node:crypto';
import type { Appender } from '@taskflow/log/appender';
import type { Cluster } from '@taskflow/log/cluster';
import type { Codec } from '@taskflow/schemas/codec';
import type { BlobStore } from '@taskflow/service/blobStore';
import type { Logger } from '@taskflow/service/logger';
import type { Metrics } from '@taskflow/service/metrics';
import { readPositions } from '@taskflow/service/positions';
import type { Pool } from '@taskflow/service/postgres';
import type { Readiness } from '@taskflow/service/readiness';
import { subscribeTaskChanges } from '@taskflow/service/taskChanges';
import type { Redis } from 'ioredis';
import type { Db } from 'mongodb';
import { uploads } from './blobs/uploads.ts';
import { BulkRunner } from './bulk/bulkRunner.ts';
import { Bulks } from './bulk/bulks.ts';
import { sweepBulks } from './bulk/bulkTable.ts';
import { CommandLog } from './commands/commandLog.ts';
import { redriveClaims } from './commands/redriveClaims.ts';
import { TaskCommands } from './commands/taskCommands.ts';
import { TypeCommands, type TypeControl } from './commands/typeCommands.ts';
import { type ApiKey, authenticateByKeys } from './http/principal.ts';
import { logHealth } from './logHealth.ts';
import { apiMetrics } from './metrics.ts';
import type { Limits, Ports } from './ports.ts';
import type { PreviewWorkers } from './preview/previewWorkers.ts';
import { addReadinessChecks } from './readinessChecks.ts';
import { eventsRetention } from './submission/eventsRetention.ts';
import { idempotencyKeys } from './submission/idempotencyKeys.ts';
import { CLAIM_MS, Submissions } from './submission/submissions.ts';
import { topicPartitions } from './submission/topicPartitions.ts';
import { type Registrations, typeCatalogue } from './types.ts';
import { ChangeSignals } from './views/changeSignals.ts';
import { logEnds } from './views/logEnds.ts';
import { poisonLog } from './views/poisonLog.ts';
import { postgresTaskView } from './views/postgresTaskView.ts';
import { type ResultDocument, resultView } from './views/resultView.ts';
import { type TaskLogDocument, taskLogView } from './views/taskLogView.ts';
import { TaskReading } from './views/taskReading.ts';
import { ViewPositions } from './views/viewPositions.ts';

/** The consumer whose positions say how far the view `tasks` is. */
const TASKS_CONSUMER = 'tasks';
const SWEEP_EVERY_MS = 600_000;
/** Tasks of a bulk that are done in one append. */
const BULK_BATCH = 500;
/** How long a batch of a bulk is left to the api that works on it, without a word from it. */
const BULK_LEASE_MS = 5_000;
/** How much longer than its append a claim of a redrive lasts. */
const CLAIM_MARGIN_MS = 2_000;

/** What the api stands on: connected, or connecting by itself. */
export interface Foundations {
  readonly cluster: Cluster;
  readonly appender: Appender;
  readonly codec: Codec;
  readonly registrations: Registrations;
  /** Fed from `taskflow.control`. */
  readonly control: TypeControl;
  readonly pool: Pool;
  /** For bulks: of sessions that join batches by keys. */
  readonly bulkPool: Pool;
  readonly mongo: Db;
  readonly blobs: BlobStore;
  readonly previews: PreviewWorkers;
  /** A connection for the subscription alone. */
  readonly redis: Redis;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
}

export interface Choices {
  readonly keys: readonly ApiKey[];
  readonly limits: Limits;
  readonly expectTypes: readonly string[];
  readonly idempotencyKeepMs: number;
  readonly blobKeepDays: number;
  readonly appendTimeoutMs: number;
  readonly bulkBatchSize?: number;
  readonly accessLog: boolean;
  /** Aborted when the api stops. */
  readonly stopping: AbortSignal;
}

/** Puts the parts of the api together. `stop` ends what runs in the background; the foundations are their owner's. */
export function assemble(
  foundations: Foundations,
  choices: Choices,
): { readonly ports: Omit<Ports, 'documentation'>; stop(): Promise<void> } {
  const { cluster, appender, codec, registrations, control, pool, bulkPool, mongo, blobs, redis, logger, readiness } =
    foundations;
  const { limits, appendTimeoutMs, stopping } = choices;
  const metrics = apiMetrics(foundations.metrics);
  const types = typeCatalogue(registrations, logger);
  const signals = new ChangeSignals();
  const subscription = subscribeTaskChanges(redis, signals.onFlush);
  const partitions = topicPartitions(cluster);
  const keys = idempotencyKeys(pool, { claimMs: CLAIM_MS, keepMs: choices.idempotencyKeepMs });
  const tasks = postgresTaskView(pool);
  const askLogEnds = () => logEnds(cluster, registrations);
  const positions = new ViewPositions({
    logEnds: askLogEnds,
    viewPositions: () => readPositions(pool, TASKS_CONSUMER),
    signals,
  });
  const log = logHealth(appender, () => cluster.refresh([]));
  const redisIsUp = () => redis.status === 'ready';
  addReadinessChecks(readiness, {
    askLog: () => log.ask(),
    types,
    expectTypes: choices.expectTypes,
    pool,
    mongo,
    blobs,
    redisIsUp,
  });
  const reading = new TaskReading({ view: tasks, positions, signals, signalled: redisIsUp, stopping });
  const partitionsOf = (topic: string) => partitions.of(topic);
  const commandLog = new CommandLog({ codec, append: log.append, partitionsOf });
  const claimMs = appendTimeoutMs + CLAIM_MARGIN_MS;
  const claims = redriveClaims(pool, { claimMs });
  const holder = randomUUID();
  const runner = new BulkRunner({
    pool: bulkPool,
    log: commandLog,
    claims: redriveClaims(bulkPool, { claimMs }),
    holder,
    metrics,
    logger,
    leaseMs: BULK_LEASE_MS,
    batchSize: choices.bulkBatchSize ?? BULK_BATCH,
  });
  runner.start();
  const sweep = setInterval(() => {
    sweepBulks(pool).catch((error: unknown) => logger.warn('Old bulks were not deleted', { error }));
    keys.sweep().catch((error: unknown) => logger.warn('Expired idempotency keys were not deleted', { error }));
    claims.sweep().catch((error: unknown) => logger.warn('Old claims of redrives were not deleted', { error }));
  }, SWEEP_EVERY_MS);
  return {
    ports: {
      authenticate: authenticateByKeys(choices.keys),
      limits,
      submissions: new Submissions({
        types,
        codec,
        append: log.append,
        partitionsOf,
        retentionOf: eventsRetention(cluster),
        keys,
        limits,
        metrics,
        busyMs: appendTimeoutMs,
      }),
      commands: new TaskCommands({ reading, log: commandLog, claims, metrics, logger, busyMs: appendTimeoutMs }),
      typeCommands: new TypeCommands({ types, control, log: commandLog, metrics, logger }),
      bulks: new Bulks({ pool, reading, logger, onStarted: () => runner.wake() }),
      tasks,
      reading,
      results: resultView(mongo.collection<ResultDocument>('results')),
      blobs,
      uploads: uploads({ blobs, keepDays: choices.blobKeepDays, maxBytes: limits.maxBlobBytes }),
      taskLogs: taskLogView(mongo.collection<TaskLogDocument>('task_logs')),
      poison: poisonLog(cluster, codec, logger),
      types,
      previews: foundations.previews,
      readiness,
      metrics,
      logger,
      accessLog: choices.accessLog || logger.enabled('debug'),
    },
    async stop() {
      clearInterval(sweep);
      await runner.stop();
      subscription.stop();
      partitions.stop();
    },
  };
}
