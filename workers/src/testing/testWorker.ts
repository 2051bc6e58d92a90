import { type ProtocolValues, protocolDefaults } from '@taskflow/core/protocolValues';
import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';
import { type Logger, silentLogger } from '@taskflow/service/logger';
import { createMetrics, type Metrics } from '@taskflow/service/metrics';
import { createReadiness, type Readiness } from '@taskflow/service/readiness';
import { z } from 'zod';
import { type AnyTaskDefinition, defineTask, type TaskContext } from '../defineTask.ts';
import { Control } from '../runtime/control.ts';
import type { QueueSession } from '../runtime/ports.ts';
import { startWorker, type Worker, type WorkerOptions } from '../runtime/worker.ts';
import type { BlobTools } from '../taskBlobs.ts';
import { fakeBlobs } from './fakeBlobs.ts';
import { FakeLog, FakeQueue, FakeQueueSet, fakeSession, testCodec } from './fakeLog.ts';

export interface TestWorker {
  readonly queues: Readonly<Record<Priority, FakeQueue>>;
  readonly queueSet: FakeQueueSet;
  readonly log: FakeLog;
  readonly control: Control;
  /** As the queue consumer does when its connection is cut. */
  loseSession(priority: Priority): void;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  stop(): Promise<void>;
}

/** The real runtime over plain objects, with one type, `sample`. */
export function startTestWorker(
  definition: AnyTaskDefinition,
  options: {
    slots?: number;
    logger?: Logger;
    protocol?: Partial<ProtocolValues>;
    log?: FakeLog;
    blobs?: BlobTools;
  } & Partial<Pick<WorkerOptions, 'graceMs' | 'learnSchema' | 'stuckExitMs' | 'onStuck'>> = {},
): TestWorker {
  const { slots = 4, protocol, log = new FakeLog(), blobs = fakeBlobs(), ...rest } = options;
  const queues = Object.fromEntries(
    PRIORITIES.map((priority) => [priority, new FakeQueue(definition.type, priority)]),
  ) as Record<Priority, FakeQueue>;
  const queueSet = new FakeQueueSet(queues);
  const control = new Control({ codec: testCodec, learnSchema: async () => false, logger: silentLogger });
  const listeners: ((session: QueueSession) => void)[] = [];
  const metrics = createMetrics({ defaults: false });
  const readiness = createReadiness();
  const worker: Worker = startWorker({
    workerId: 'worker-1.1.test',
    types: [
      {
        definition,
        queues,
        queueSet,
        slots,
        facts: { high: log, normal: log, low: log },
        onSessionLost: (listener) => void listeners.push(listener),
      },
    ],
    appender: log,
    control,
    codec: testCodec,
    learnSchema: async () => false,
    logPartitions: 1,
    tools: { fetch: () => Promise.reject(new Error('This test fetches nothing')), blobs },
    protocol: { ...protocolDefaults, ...protocol },
    graceMs: 10_000,
    stuckExitMs: 300_000,
    onStuck: () => {},
    metrics,
    readiness,
    logger: silentLogger,
    ...rest,
  });
  return {
    queues,
    queueSet,
    log,
    control,
    metrics,
    readiness,
    stop: () => worker.stop(),
    loseSession(priority) {
      const { session } = queues[priority];
      queues[priority].session = fakeSession();
      session.lost = true;
      for (const listener of listeners) listener(session);
    },
  };
}

/** A type whose handler is the test's. */
export function sampleTask(
  run: (context: TaskContext<Record<string, unknown>>) => unknown,
  parts: { inline?: boolean; takeover?: 'at-once' | 'after-lease' } = {},
): AnyTaskDefinition {
  return defineTask({
    type: 'sample',
    version: 1,
    payload: z.looseObject({ n: z.number().optional() }),
    result: z.unknown(),
    inline: parts.inline ?? true,
    ...(parts.takeover && { takeover: parts.takeover }),
    run,
  });
}

/** A promise to be settled by the test. */
export function deferred<T = void>() {
  return Promise.withResolvers<T>();
}
