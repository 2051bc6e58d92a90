import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';
import { type Logger, silentLogger } from '@taskflow/service/logger';
import { createMetrics, type Metrics } from '@taskflow/service/metrics';
import { createReadiness, type Readiness } from '@taskflow/service/readiness';
import { z } from 'zod';
import { type AnyTaskDefinition, defineTask, type TaskContext } from '../defineTask.ts';
import { startWorker, type Worker, type WorkerOptions } from '../runtime/worker.ts';
import { FakeAppender, FakeQueue, FakeQueueSet, testCodec } from './fakeLog.ts';

export interface TestWorker {
  readonly queues: Readonly<Record<Priority, FakeQueue>>;
  readonly queueSet: FakeQueueSet;
  readonly appender: FakeAppender;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  stop(): Promise<void>;
}

/** The real runtime over plain objects, with one type, `sample`. */
export function startTestWorker(
  definition: AnyTaskDefinition,
  options: { slots?: number; logger?: Logger } & Partial<
    Pick<WorkerOptions, 'graceMs' | 'lockRenewMs' | 'learnSchema'>
  > = {},
): TestWorker {
  const { slots = 4, ...rest } = options;
  const queues = Object.fromEntries(
    PRIORITIES.map((priority) => [priority, new FakeQueue(definition.type, priority)]),
  ) as Record<Priority, FakeQueue>;
  const queueSet = new FakeQueueSet(queues);
  const appender = new FakeAppender();
  const metrics = createMetrics({ defaults: false });
  const readiness = createReadiness();
  const worker: Worker = startWorker({
    workerId: 'worker-1.1.test',
    types: [{ definition, queues, queueSet, slots }],
    appender,
    codec: testCodec,
    learnSchema: async () => false,
    logPartitions: 1,
    fetch: () => Promise.reject(new Error('This test fetches nothing')),
    lockRenewMs: 5_000,
    leaseMs: 30_000,
    graceMs: 10_000,
    metrics,
    readiness,
    logger: silentLogger,
    ...rest,
  });
  return { queues, queueSet, appender, metrics, readiness, stop: () => worker.stop() };
}

/** A type whose handler is the test's. */
export function sampleTask(
  run: (context: TaskContext<Record<string, unknown>>) => unknown,
  parts: { inline?: boolean } = {},
): AnyTaskDefinition {
  return defineTask({
    type: 'sample',
    version: 1,
    payload: z.looseObject({ n: z.number().optional() }),
    result: z.unknown(),
    inline: parts.inline ?? true,
    run,
  });
}

/** A promise to be settled by the test. */
export function deferred<T = void>() {
  return Promise.withResolvers<T>();
}
