import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import type { ProtocolValues } from '@taskflow/core/protocolValues';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskLogLine } from '@taskflow/schemas/events';
import { logsTopic, type Priority } from '@taskflow/schemas/topics';
import type { Logger } from '@taskflow/service/logger';
import type { Metrics } from '@taskflow/service/metrics';
import type { Readiness } from '@taskflow/service/readiness';
import type { AnyTaskDefinition } from '../defineTask.ts';
import { BrokerClock } from './brokerClock.ts';
import type { Control } from './control.ts';
import { Dispatch } from './dispatch.ts';
import { Gate } from './gate.ts';
import type { HandlerTools } from './handlerTools.ts';
import { idleForMs, membershipOf, progressOf, type WorkerQueue } from './health.ts';
import { Lead } from './lead.ts';
import { Outbox } from './outbox.ts';
import type { LogAppender, QueueFacts, QueueSession, QueueSet } from './ports.ts';
import { Slots } from './slots.ts';
import { TypeLane } from './typeLane.ts';
import { workerMetrics } from './workerMetrics.ts';

/** A type's part of the log. */
export interface TypeQueues {
  readonly queues: Readonly<Record<Priority, WorkerQueue>>;
  readonly queueSet: QueueSet;
  readonly facts: Readonly<Record<Priority, QueueFacts>>;
  /** Calls back when a session is lost, with what was delivered on it. */
  onSessionLost(listener: (session: QueueSession) => void): void;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly types: readonly (TypeQueues & { readonly definition: AnyTaskDefinition; readonly slots: number })[];
  readonly appender: LogAppender;
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  /** Read to the end that it had. */
  readonly control: Control;
  readonly logPartitions: number;
  readonly tools: HandlerTools;
  readonly protocol: ProtocolValues;
  readonly graceMs: number;
  /** After so long with nothing in hand and no answer from any queue of a type the worker gives up. */
  readonly stuckExitMs: number;
  readonly onStuck: (error: Error) => void;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly logger: Logger;
}

export interface Worker {
  /** Takes nothing more, gives running tasks the grace, gives back what still runs, and waits until outcomes are on the log. */
  stop(): Promise<void>;
}

const MAX_LOG_LINES_PENDING = 20_000;
/** For outcomes to reach a broker that answers slowly or is away, once the worker stops. */
const FLUSH_LIMIT_MS = 2_000;

/** Runs tasks of the given types until it is stopped. */
export function startWorker(options: WorkerOptions): Worker {
  const { appender, codec, logger, control, protocol } = options;
  const clock = new BrokerClock();
  const outbox = new Outbox({ appender, logger, onBrokerTime: (at) => clock.saw(at) });
  const logOutbox = new Outbox({ appender, logger, maxPending: MAX_LOG_LINES_PENDING, maxBatch: 1_000 });
  const metrics = workerMetrics(options.metrics);
  const gate = new Gate(() => reconsider());
  const writeLogLine = (line: TaskLogLine) =>
    logOutbox.push({
      topic: logsTopic,
      partition: chooseEventsPartition(line.taskId, options.logPartitions),
      key: line.taskId,
      value: codec.encode(line),
    });

  const lanes = options.types.map(({ definition, queues, queueSet, facts, onSessionLost, slots: size }) => {
    const { type } = definition;
    const slots = new Slots(size);
    const lead = new Lead(size, performance.now());
    const typeLogger = logger.child({ type });
    const lane = new TypeLane({
      definition,
      workerId: options.workerId,
      queues,
      facts,
      slots,
      lead,
      gate,
      codec,
      outbox,
      writeLogLine,
      tools: options.tools,
      clock,
      control: control.state,
      values: protocol,
      learnSchema: options.learnSchema,
      metrics: metrics.ofType(type, Object.keys(definition.errors ?? {})),
      logger: typeLogger,
    });
    onSessionLost((session) => lane.sessionLost(session));
    const dispatch = new Dispatch({
      queues: queueSet,
      slots,
      lead,
      inHand: () => lane.inHand,
      take: (records) => lane.take(records),
      isHeld: () => gate.isBlocked || control.state.paused.has(type),
      logger: typeLogger,
    });
    return { type, lane, dispatch, slots, queues };
  });
  const reconsider = () => {
    for (const { dispatch } of lanes) dispatch.reconsider();
  };
  control.onChange = () => {
    for (const { lane } of lanes) lane.controlChanged();
    reconsider();
  };

  metrics.observe(
    lanes.map(({ type, slots }) => ({ type, slots })),
    { events: outbox, logs: logOutbox },
  );
  options.readiness.probe('queues', () => membershipOf(lanes));
  options.readiness.probe('progress', () => progressOf(lanes, outbox));

  const ticker = setInterval(() => {
    const now = performance.now();
    for (const { lane } of lanes) lane.tick(now);
    if (idleForMs(lanes, outbox) > options.stuckExitMs) {
      clearInterval(ticker);
      options.onStuck(new Error(`No queue has answered for ${Math.round(options.stuckExitMs / 1_000)} s`));
    }
  }, tickMs(protocol));
  for (const { dispatch } of lanes) dispatch.start();

  return {
    async stop() {
      await Promise.all(lanes.map(({ dispatch }) => dispatch.stop()));
      for (const { lane } of lanes) lane.returns.giveUpWaiting();
      const idle = await untilIdle(lanes, options.graceMs);
      if (!idle) {
        const count = lanes.reduce((sum, { lane }) => sum + lane.returns.giveUpAll(), 0);
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

/** Often enough for what is due soonest. */
function tickMs({ renewEveryMs, handOverAfterMs, leaseMs }: ProtocolValues): number {
  return Math.max(20, Math.min(500, renewEveryMs / 5, handOverAfterMs / 5, leaseMs / 15));
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
