import type { ProtocolValues } from '@taskflow/core/protocolValues';
import type { Appender } from '@taskflow/log/appender';
import type { Cluster } from '@taskflow/log/cluster';
import { createEventConsumer } from '@taskflow/log/eventConsumer';
import type { Registry } from '@taskflow/log/registry';
import { PRIORITIES } from '@taskflow/schemas/topics';
import { createDecoding } from '@taskflow/service/decoding';
import { DEFAULT_PACING } from '@taskflow/service/flushPacing';
import type { Logger } from '@taskflow/service/logger';
import type { Pool } from '@taskflow/service/postgres';
import type { CheckState, Readiness } from '@taskflow/service/readiness';
import type { TaskTypes } from '@taskflow/service/taskTypes';
import { TransactionalConsumer } from '@taskflow/service/transactionalConsumer';
import type { OrchestratorMetrics } from './metrics.ts';
import { Outbox } from './outbox/outbox.ts';
import { repeatedly } from './repeatedly.ts';
import { FiringLoop, type ReadLane } from './timers/firingLoop.ts';
import { consumerName, timerEffects } from './timers/foldTimers.ts';
import { OpenTasks } from './timers/openTasks.ts';
import { selectTimerEvent, wantsTimerEvent } from './timers/selectTimerEvent.ts';
import { forgetEnded, readOpenTasks, restartLeases } from './timers/timerTable.ts';
import { laneKey, lanesOf, taskTopics } from './topics.ts';
import { Watchdog } from './watchdog/watchdog.ts';

export interface TimerPorts {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly appender: Appender;
  readonly types: TaskTypes;
  /** The consumer group is `<prefix>.orchestrator`. */
  readonly groupPrefix: string;
  /** For folding: its sessions may commit without waiting for the disk, as positions and rows go together. */
  readonly foldPool: Pool;
  /** For all that leaves for the log: its commits wait. */
  readonly pool: Pool;
  readonly logger: Logger;
  readonly metrics: OrchestratorMetrics;
  readonly readiness: Readiness;
  readonly values: Pick<ProtocolValues, 'maxRecoveries' | 'rememberEndedMs' | 'watchdogAfterMs'>;
  /** Called when it cannot go on in this process. */
  readonly onFatal: (error: Error) => void;
}

export interface RunningTimers {
  /** The lanes that are read here at present. */
  lanes(): readonly ReadLane[];
  /** Fires nothing more, commits what was read, and leaves the group. */
  stop(): Promise<void>;
}

/** Where only positions would be written there is no hurry: what waits to fire asks for it. */
const pacing = { ...DEFAULT_PACING, maxRecords: 8_000, maxBytes: 8 * 1024 * 1024, quietMs: 250 };
/** What trickles in is read in larger pieces: nearly all of it needs no timer. */
const fetchesPerSecond = 20;
const housekeepingMs = 10_000;

/**
 * The timers of all tasks: folds both topic families into rows, fires what is due in the partitions that its consumer group
 * gives it, and takes what it has decided to the log.
 */
export function startTimers(ports: TimerPorts): RunningTimers {
  const { cluster, registry, types, pool, foldPool, metrics, readiness, values, logger } = ports;
  const stopping = new AbortController();
  const open = new OpenTasks();
  const { codec } = registry;
  const causeOf = codec.fieldReader('TaskQueued', 'cause');

  let blocked: CheckState = { state: 'ok' };
  const block = (reason: string): void => {
    blocked = { state: 'failing', reason };
  };
  const consumer = new TransactionalConsumer({
    effects: timerEffects(({ dueInMs }) => {
      if (dueInMs !== null) firing.dueIn(dueInMs);
    }),
    decoding: createDecoding({
      registry,
      wants: (name, record) => wantsTimerEvent(open, name, record, causeOf),
      select: (decoded, record) => selectTimerEvent(open, decoded, record),
      logger,
      signal: stopping.signal,
    }),
    pool: foldPool,
    logger,
    check: {
      ok: () => {
        blocked = { state: 'ok' };
      },
      degraded: block,
      failing: block,
    },
    park: async () => {}, // the projector reads the same topics, and parks
    reread: () => events.reread(),
    pacing,
    onFlush: (flush) => metrics.flushed(flush),
  });
  let topics = taskTopics(types.all());
  const events = createEventConsumer(cluster, {
    groupId: `${ports.groupPrefix}.${consumerName}`,
    topics: () => topics,
    async positions(partitions) {
      const positions = await consumer.positions(partitions);
      const lanes = lanesOf(partitions);
      open.replace(await readOpenTasks(pool, lanes));
      await restartLeases(pool, lanes);
      await outbox.recover(lanes, 0);
      firing.assigned();
      return positions;
    },
    onBatch: ({ records }) => consumer.take(records),
    onRevoked: () => consumer.revoked(),
    onGap: (error) => logger.error('The log does not continue where the timers stand', { error }),
    onFatal: ports.onFatal,
    // The least that a broker takes by default: the timers of a killed instance stand still for as long.
    sessionTimeoutMs: 6_000,
    fetchesPerSecond,
  });
  const lanes = (): ReadLane[] =>
    events.progress().flatMap((progress) => {
      if (progress.stopped !== undefined) return [];
      return lanesOf([progress]).map((lane) => ({ lane, interruptions: progress.interruptions }));
    });
  const outbox = new Outbox({
    pool,
    cluster,
    codec,
    appender: ports.appender,
    logger,
    owns: (lane) => lanes().some((read) => laneKey(read.lane) === laneKey(lane)),
    onSent: (rows, how) => metrics.sent(rows, how),
  });
  const firing = new FiringLoop({
    pool,
    cluster,
    codec,
    values,
    logger,
    check: readiness.check('firing'),
    lanes,
    flush() {
      events.hurry();
      return consumer.flush();
    },
    onFired(fired, rows) {
      metrics.fired(fired);
      outbox.send(rows);
    },
  });
  firing.start();
  const housekeeping = repeatedly(housekeepingMs, logger, async () => {
    await outbox.recover(lanes().map(({ lane }) => lane));
    await forgetEnded(pool, values.rememberEndedMs);
  });

  const watchdog = new Watchdog({
    pool,
    cluster,
    codec,
    values,
    logger,
    queues: () => types.all().flatMap(({ type }) => PRIORITIES.map((priority) => ({ type, priority }))),
    lanes: () => lanes().map(({ lane }) => lane),
    onRecovering(tasks) {
      for (const { state } of tasks) open.add(state.id, state.generation);
    },
    onRecovered(rows) {
      metrics.recovered(rows.length);
      outbox.send(rows);
    },
  });
  const watching = repeatedly(values.watchdogAfterMs / 3, logger, async () => {
    await watchdog.round();
  });

  const unsubscribe = types.onChange(() => {
    topics = taskTopics(types.all());
    events.topicsChanged().catch((error: unknown) => logger.error('New topics could not be consumed', { error }));
  });
  metrics.observe(() => ({ lag: events.health().lag, openTasks: open.size }));
  readiness.probe('timers', () => {
    const { membership, stopped, lastError } = events.health();
    if (stopped.length > 0)
      return { state: 'failing', reason: `${stopped.join(', ')} cannot be read on: ${lastError}` };
    if (blocked.state === 'ok' && topics.length > 0 && membership === 'joining')
      return { state: 'failing', reason: 'joining its group' };
    return blocked;
  });
  return {
    lanes,
    async stop() {
      unsubscribe();
      stopping.abort();
      await watching.stop();
      await housekeeping.stop();
      await firing.stop();
      await events.close();
      await consumer.stop();
      await outbox.stop();
    },
  };
}
