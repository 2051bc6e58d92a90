import type {
  TaskEvent,
  TaskFailed,
  TaskflowRecord,
  TaskHeartbeat,
  TaskQueued,
  TaskStarted,
} from '@taskflow/schemas/events';
import { taskEvent } from '@taskflow/schemas/testing/taskEvents';
import { type FakeLog, queued, testCodec } from './fakeLog.ts';
import { sampleTask, startTestWorker, type TestWorker } from './testWorker.ts';

type Options = Parameters<typeof startTestWorker>[1];
type Queued = Parameters<typeof queued>[0];

export const taskId = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** The nth task of a test, as it lies in the queue. */
export const task = (n: number, more: Queued = {}) =>
  queued({ taskId: taskId(n), ...more, task: { payload: JSON.stringify({ n }), ...more.task } });

/** What the log has of the nth task. */
export const eventsOf = (log: FakeLog, n: number) =>
  log.events.filter((event) => (event as TaskEvent).taskId === taskId(n));

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
};

export const named =
  (name: string, count = 1) =>
  (events: readonly TaskflowRecord[]) =>
    events.filter(({ event }) => event === name).length >= count;

/** The head of what another worker says of a task. */
const headOf = ({ taskId, generation, attempt, userId, type, priority }: TaskQueued) => ({
  taskId,
  generation,
  attempt,
  workerId: 'worker-2.2.else',
  userId,
  type,
  priority,
});

export const started = (of: TaskQueued, starts = 1, queueOffset = 0): TaskStarted =>
  taskEvent('TaskStarted', { ...headOf(of), starts, queueOffset });

export const handedOver = (of: TaskQueued): TaskHeartbeat =>
  taskEvent('TaskHeartbeat', { ...headOf(of), task: of.task });

export const ended = (of: TaskQueued): TaskFailed =>
  taskEvent('TaskFailed', {
    ...headOf(of),
    error: { code: 'X', message: '', retryable: false, details: null },
  });

/** A worker for each test of the block it is called in, stopped after it. */
export function workerUnderTest() {
  let worker: TestWorker;
  const quick = { lookAgainMs: 2, lookAgainAfterForgottenMs: 4 };
  afterEach(() => worker.stop());
  const startType = (definition: Parameters<typeof startTestWorker>[0], options: Options = {}): TestWorker => {
    worker = startTestWorker(definition, { ...options, protocol: { ...quick, ...options.protocol } });
    return worker;
  };
  return {
    startType,
    /** Starts it with a type whose handler is `run`. */
    start: (run: Parameters<typeof sampleTask>[0], options: Options = {}) => startType(sampleTask(run), options),
    /** Delivers the nth task once more. */
    redeliver: (n: number, delivery = 2, more: Queued = {}) =>
      worker.queues.normal.deliver(testCodec.encode(task(n, more)), n, delivery),
  };
}
