import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskLogLine } from '@taskflow/schemas/events';
import { logsTopic, PRIORITIES, type Priority } from '@taskflow/schemas/topics';
import type { Logger } from '@taskflow/service/logger';
import type { Metrics } from '@taskflow/service/metrics';
import { type CheckState, OK, type Readiness } from '@taskflow/service/readiness';
import type { AnyTaskDefinition } from '../defineTask.ts';
import type { SafeFetch } from '../safeFetch.ts';
import { BrokerClock } from './brokerClock.ts';
import { Dispatch } from './dispatch.ts';
import { Outbox } from './outbox.ts';
import type { LogAppender, QueueSet, TaskQueue } from './ports.ts';
import { Slots } from './slots.ts';
import { TypeLane } from './typeLane.ts';
import { workerMetrics } from './workerMetrics.ts';

/** A queue as the worker needs it to judge its own health; `QueueConsumer` of `@taskflow/log` fits. */
export interface WorkerQueue extends TaskQueue {
  health(): {
    readonly assignedPartitions: number;
    readonly openSessions: number;
    /** Milliseconds since a fetch was last answered. */
    readonly sinceFetchMs: number | undefined;
    readonly lastError: string | undefined;
  };
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly types: readonly {
    readonly definition: AnyTaskDefinition;
    readonly queues: Readonly<Record<Priority, WorkerQueue>>;
    readonly queueSet: QueueSet;
    readonly slots: number;
  }[];
  readonly appender: LogAppender;
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  readonly logPartitions: number;
  readonly fetch: SafeFetch;
  readonly lockRenewMs: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly logger: Logger;
}

export interface Worker {
  /** Takes nothing more, gives running tasks the grace, gives back what still runs, and waits until outcomes are on the log. */
  stop(): Promise<void>;
}

/** Nothing moved for so long: the worker says that it is not well. */
const STUCK_AFTER_MS = 30_000;
const TICK_MS = 1_000;
const MAX_LOG_LINES_PENDING = 20_000;
/** For outcomes to reach a broker that answers slowly or is away, once the worker stops. */
const FLUSH_LIMIT_MS = 2_000;

/** Runs tasks of the given types until it is stopped. */
export function startWorker(options: WorkerOptions): Worker {
  const { appender, codec, logger } = options;
  const clock = new BrokerClock();
  const outbox = new Outbox({ appender, logger, onBrokerTime: (at) => clock.saw(at) });
  const logOutbox = new Outbox({ appender, logger, maxPending: MAX_LOG_LINES_PENDING, maxBatch: 1_000 });
  const metrics = workerMetrics(options.metrics);
  const writeLogLine = (line: TaskLogLine) =>
    logOutbox.push({
      topic: logsTopic,
      partition: chooseEventsPartition(line.taskId, options.logPartitions),
      key: line.taskId,
      value: codec.encode(line),
    });

  const lanes = options.types.map(({ definition, queues, queueSet, slots: size }) => {
    const slots = new Slots(size);
    const typeLogger = logger.child({ type: definition.type });
    const lane = new TypeLane({
      definition,
      workerId: options.workerId,
      queues,
      slots,
      codec,
      outbox,
      writeLogLine,
      fetch: options.fetch,
      clock,
      leaseMs: options.leaseMs,
      learnSchema: options.learnSchema,
      metrics: metrics.ofType(definition.type, Object.keys(definition.errors ?? {})),
      logger: typeLogger,
    });
    const dispatch = new Dispatch({
      queues: queueSet,
      slots,
      take: (records) => lane.take(records),
      logger: typeLogger,
    });
    return { type: definition.type, lane, dispatch, slots, queues };
  });

  metrics.observe(
    lanes.map(({ type, slots }) => ({ type, slots })),
    { events: outbox, logs: logOutbox },
  );
  options.readiness.probe('queues', () => membershipOf(lanes));
  options.readiness.probe('progress', () => progressOf(lanes, outbox));

  const ticker = setInterval(() => {
    const now = performance.now();
    for (const { lane } of lanes) lane.tick(now, options.lockRenewMs);
  }, TICK_MS);
  for (const { dispatch } of lanes) dispatch.start();

  return {
    async stop() {
      await Promise.all(lanes.map(({ dispatch }) => dispatch.stop()));
      const idle = await untilIdle(lanes, options.graceMs);
      if (!idle) {
        const count = lanes.reduce((sum, { lane }) => sum + lane.giveUp(), 0);
        logger.warn(`${count} tasks still ran after ${options.graceMs} ms and were given back`);
      }
      const flushed = await outbox.flush(FLUSH_LIMIT_MS);
      if (!flushed) {
        logger.warn('The broker did not take all outcomes in time; their tasks will run again', {
          pending: outbox.pending,
        });
      }
      await logOutbox.flush(500);
      outbox.close();
      logOutbox.close();
      clearInterval(ticker);
    },
  };
}

interface RunningType {
  readonly type: string;
  readonly slots: Slots;
  readonly queues: Readonly<Record<Priority, WorkerQueue>>;
  readonly dispatch: Dispatch;
}

/** Resolves true when no handler runs, false when the time is up first. */
async function untilIdle(lanes: readonly { slots: Slots }[], limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const idle = Promise.all(lanes.map(({ slots }) => slots.untilUnused())).then(() => true);
  try {
    return await Promise.race([idle, late]);
  } finally {
    clearTimeout(timer);
  }
}

function membershipOf(lanes: readonly RunningType[]): CheckState {
  for (const { type, queues } of lanes) {
    for (const priority of PRIORITIES) {
      const { assignedPartitions, openSessions, lastError } = queues[priority].health();
      if (assignedPartitions === 0 || openSessions === 0) {
        const what = assignedPartitions === 0 ? 'has no assignment' : 'has no session with its broker';
        return {
          state: 'failing',
          reason: `The queue ${type}.${priority} ${what}${lastError ? `: ${lastError}` : ''}`,
        };
      }
    }
  }
  return OK;
}

function progressOf(lanes: readonly RunningType[], outbox: Outbox): CheckState {
  if (outbox.stuckMs > STUCK_AFTER_MS) {
    const seconds = Math.round(outbox.stuckMs / 1_000);
    return { state: 'failing', reason: `${outbox.pending} events wait to be appended, none was for ${seconds} s` };
  }
  for (const { type, dispatch, slots, queues } of lanes) {
    if (slots.free === 0) continue; // nothing is asked for
    const wanting = performance.now() - dispatch.wantsSince;
    const silent = Math.min(
      wanting,
      ...PRIORITIES.map((priority) => queues[priority].health().sinceFetchMs ?? wanting),
    );
    if (silent > STUCK_AFTER_MS) {
      return { state: 'failing', reason: `No queue of ${type} has answered for ${Math.round(silent / 1_000)} s` };
    }
  }
  return OK;
}
