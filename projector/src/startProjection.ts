import type { Cluster } from '@taskflow/log/cluster';
import { createEventConsumer } from '@taskflow/log/eventConsumer';
import type { Registry } from '@taskflow/log/registry';
import { parseTaskTopic } from '@taskflow/schemas/topics';
import { createDecoding, type UndecodableRecord } from '@taskflow/service/decoding';
import type { Logger } from '@taskflow/service/logger';
import type { Pool } from '@taskflow/service/postgres';
import type { CheckState, Readiness } from '@taskflow/service/readiness';
import type { TaskTypes } from '@taskflow/service/taskTypes';
import { TransactionalConsumer } from '@taskflow/service/transactionalConsumer';
import type { Projection } from './projection.ts';
import type { ProjectionMetrics } from './projectionMetrics.ts';
import { requireVersion } from './projectionVersion.ts';
import { takeWhenDue } from './queuePacing.ts';

export interface ProjectionPorts {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly types: TaskTypes;
  /** The consumer group is `<prefix>.<projection>`. */
  readonly groupPrefix: string;
  /** Of sessions set for views. */
  readonly pool: Pool;
  readonly logger: Logger;
  readonly metrics: ProjectionMetrics;
  readonly readiness: Readiness;
  /** What becomes of records that cannot be read, before their partition goes on. */
  readonly park: (records: readonly UndecodableRecord[]) => Promise<void>;
  /** Called when the projection cannot go on in this process. */
  readonly onFatal: (error: Error) => void;
  /** Ends waiting for PostgreSQL at the start. */
  readonly stopping: AbortSignal;
}

export interface ProjectionOptions {
  /** `failing` where the service is not ready without it, `degraded` where it only is told. */
  readonly whenBlocked: 'failing' | 'degraded';
  /** Whether it parks what cannot be read; one of several projections that read a topic does. */
  readonly parks: boolean;
}

export interface RunningProjection {
  /** Takes in nothing more, commits what it has, and leaves the group. */
  stop(): Promise<void>;
}

/**
 * Runs a projection: a consumer group of its name reads what it wants, the transactional consumer folds and writes. Topics of
 * types that are registered later are read from then on.
 */
export async function startProjection<E, Folded, Outcome>(
  projection: Projection<E, Folded, Outcome>,
  ports: ProjectionPorts,
  options: ProjectionOptions,
): Promise<RunningProjection> {
  const { name, queuePacing } = projection;
  const { cluster, types, pool, metrics } = ports;
  const logger = ports.logger.child({ projection: name });
  const stopping = new AbortController();
  await requireVersion(pool, projection, logger, ports.stopping);

  let blocked: CheckState = { state: 'ok' };
  const block = (reason: string): void => {
    blocked = { state: options.whenBlocked, reason };
  };
  const consumer = new TransactionalConsumer({
    effects: { ...projection, consumer: name },
    decoding: createDecoding({
      registry: ports.registry,
      wants: projection.wants,
      select: projection.select,
      logger,
      signal: stopping.signal,
    }),
    pool,
    logger,
    check: {
      ok: () => {
        blocked = { state: 'ok' };
      },
      degraded: block,
      failing: block,
    },
    park: options.parks ? ports.park : async () => {},
    reread: () => events.reread(),
    onFlush: (flush) => metrics.flushed(name, flush),
  });
  let topics = projection.reads(types.all());
  const events = createEventConsumer(cluster, {
    groupId: `${ports.groupPrefix}.${name}`,
    topics: () => topics,
    positions: (partitions) => consumer.positions(partitions),
    onBatch: ({ topic, records }) =>
      queuePacing !== undefined && parseTaskTopic(topic)?.family === 'queue'
        ? takeWhenDue(queuePacing, records, (slice, options) => consumer.take(slice, options))
        : consumer.take(records),
    onRevoked: () => {
      consumer.revoked();
      queuePacing?.release();
    },
    onGap: (error) => logger.error('The log does not continue where the view stands: rebuild the view', { error }),
    onFatal: ports.onFatal,
    // The least that a broker takes by default: the partitions of a killed instance stand still for as long.
    sessionTimeoutMs: 6_000,
  });
  const unsubscribe = types.onChange(() => {
    topics = projection.reads(types.all());
    events.topicsChanged().catch((error: unknown) => logger.error('New topics could not be consumed', { error }));
  });
  metrics.observeLag(name, () => events.health().lag);
  ports.readiness.probe(name, () => {
    const { membership, stopped, lastError } = events.health();
    if (stopped.length > 0)
      return { state: 'failing', reason: `${stopped.join(', ')} cannot be read on: ${lastError}` };
    if (blocked.state !== 'ok') return blocked;
    if (topics.length > 0 && membership === 'joining')
      return { state: options.whenBlocked, reason: 'joining its group' };
    return blocked;
  });
  return {
    async stop() {
      unsubscribe();
      stopping.abort();
      queuePacing?.release();
      await events.close();
      await consumer.stop();
    },
  };
}
