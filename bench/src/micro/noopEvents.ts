import { uuidv7 } from '@taskflow/core/ids';
import type { LogRecord } from '@taskflow/log/logRecord';
import { type Codec, createCodec } from '@taskflow/schemas/codec';
import { recordNames, type TaskEvent } from '@taskflow/schemas/events';
import { nullResult, someTask } from '@taskflow/schemas/testing/taskEvents';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';

export const TYPE = 'noop';
const priority = 'normal';
export const QUEUE = queueTopic(TYPE, priority);
export const EVENTS = eventsTopic(TYPE, priority);

/** A codec under schema ids of its own. */
export const codec: Codec = createCodec(new Map(recordNames.map((name, index) => [name, index + 1])));

/** The three events of a no-op task, as api and worker write them. */
export interface NoopTask {
  readonly queued: TaskEvent;
  readonly started: TaskEvent;
  readonly succeeded: TaskEvent;
}

/** The task at an offset of the queue; its events belong into partition `eventsPartition`. */
export function noopTask(queueOffset: number, eventsPartition: number): NoopTask {
  const head = {
    taskId: uuidv7(),
    generation: 0,
    attempt: 1,
    userId: '00000000-0000-4000-8000-000000000001',
    type: TYPE,
    priority,
    occurredAt: Date.now(),
    runId: null,
    stepId: null,
  };
  const worker = { ...head, workerId: 'worker-1.4711.k3x9' };
  return {
    queued: {
      ...head,
      event: 'TaskQueued',
      workerId: '',
      eventId: uuidv7(),
      failures: 0,
      recoveries: 0,
      eventsPartition,
      cause: 'submit',
      check: false,
      actor: null,
      reason: null,
      task: { ...someTask, payload: '{}' },
    },
    started: {
      ...worker,
      event: 'TaskStarted',
      eventId: uuidv7(),
      delivery: 1,
      starts: 1,
      leaseMs: 30_000,
      queuePartition: 0,
      queueOffset,
    },
    succeeded: { ...worker, event: 'TaskSucceeded', eventId: uuidv7(), durationMs: 1, result: nullResult },
  };
}

/** Events as records of a partition, from its beginning. */
export function recordsOf(topic: string, partition: number, events: readonly TaskEvent[]): LogRecord[] {
  return events.map((event, offset) => ({
    topic,
    partition,
    offset,
    key: null,
    value: codec.encode(event),
    appendedAt: event.occurredAt,
    leaderEpoch: 0,
  }));
}
