import { uuidv5, uuidv7 } from '@taskflow/core/ids';
import type { Task, TaskEvent } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import fc from 'fast-check';

/** An event on its way to a partition of its topic. */
export interface Addressed {
  readonly topic: string;
  readonly partition: number;
  readonly event: TaskEvent;
}

export const EVENTS_PARTITIONS = 3;

const users = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a'];
const priorities = ['high', 'normal'] as const;

/** What happens to a task: any event of any attempt and generation, late, repeated or by a zombie. */
interface Happening {
  readonly task: number;
  readonly name: TaskEvent['event'];
  readonly generation: number;
  readonly attempt: number;
  readonly worker: number;
  readonly copies: number;
  readonly jump: number;
}

const names: fc.Arbitrary<TaskEvent['event']> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('TaskQueued' as const) },
  { weight: 4, arbitrary: fc.constant('TaskStarted' as const) },
  { weight: 3, arbitrary: fc.constant('TaskSucceeded' as const) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'TaskScheduled' as const,
      'TaskHeartbeat' as const,
      'TaskRetryScheduled' as const,
      'TaskFailed' as const,
      'TaskCancelled' as const,
    ),
  },
);

const happening = (tasks: number): fc.Arbitrary<Happening> =>
  fc.record({
    task: fc.nat(tasks - 1),
    name: names,
    generation: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    attempt: fc.oneof(
      { weight: 6, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.integer({ min: 2, max: 3 }) },
    ),
    worker: fc.nat(2),
    copies: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    jump: fc.nat(3),
  });

/**
 * A random log of some tasks of one type, in the order in which it is appended: what came first in one partition may come last in
 * another, and events are there twice. `type` keeps logs on one broker apart.
 */
export function randomLog(type: string, options: { tasks: number; events: number }): fc.Arbitrary<Addressed[]> {
  return fc
    .array(happening(options.tasks), { minLength: 1, maxLength: options.events, size: 'max' })
    .map((happenings) => addressAll(type, happenings));
}

function addressAll(type: string, happenings: readonly Happening[]): Addressed[] {
  const run = uuidv7();
  const log: { at: number; addressed: Addressed }[] = [];
  happenings.forEach((it, index) => {
    const taskId = uuidv5(run, String(it.task));
    const event = eventOf(type, taskId, it, index);
    const queued = event.event === 'TaskQueued';
    const topic = (queued ? queueTopic : eventsTopic)(type, event.priority);
    const addressed = { topic, partition: queued ? 0 : it.task % EVENTS_PARTITIONS, event };
    for (let copy = 0; copy <= it.copies; copy++) log.push({ at: index + it.jump * (copy + 1), addressed });
  });
  return log.sort((a, b) => a.at - b.at).map(({ addressed }) => addressed);
}

function eventOf(type: string, taskId: string, it: Happening, index: number): TaskEvent {
  const written = it.name !== 'TaskQueued' && it.name !== 'TaskScheduled' && it.name !== 'TaskCancelled';
  const head = {
    taskId,
    generation: it.generation,
    attempt: it.name === 'TaskScheduled' ? 1 : it.attempt,
    workerId: written ? `worker-${it.worker}.1.abc` : '',
    eventId: uuidv7(),
    userId: users[it.task % users.length]!,
    type,
    priority: priorities[it.task % priorities.length]!,
    occurredAt: 1_760_000_000_000 + index * 10 + it.jump,
    runId: it.task % 5 === 0 ? uuidv5(taskId, 'run') : null,
    stepId: it.task % 5 === 0 ? 'step "1"' : null,
  };
  return { ...head, ...bodyOf(it, index) } as TaskEvent;
}

function bodyOf(it: Happening, index: number) {
  switch (it.name) {
    case 'TaskQueued':
      return {
        event: it.name,
        task: taskOf(it.task),
        failures: 0,
        recoveries: 0,
        eventsPartition: it.task % EVENTS_PARTITIONS,
        cause: 'submit',
        check: false,
        actor: null,
        reason: null,
      };
    case 'TaskScheduled':
      return { event: it.name, task: taskOf(it.task), runAt: index % 2 === 0 ? null : 1_760_000_600_000 + index };
    case 'TaskStarted':
      return { event: it.name, delivery: 1, starts: 1, leaseMs: 30_000, queuePartition: 0, queueOffset: index };
    case 'TaskHeartbeat':
      return {
        event: it.name,
        progress: index % 3 === 0 ? null : (index % 10) / 10,
        note: null,
        task: index % 4 === 0 ? taskOf(it.task) : null,
        failures: 0,
        recoveries: 0,
        leaseMs: 30_000,
      };
    case 'TaskSucceeded':
      return { event: it.name, durationMs: index, result: resultOf(index) };
    case 'TaskRetryScheduled':
      return {
        event: it.name,
        error: errorOf(index),
        retryAt: 1_760_000_060_000 + index,
        failures: it.attempt,
        recoveries: 0,
        task: taskOf(it.task),
      };
    case 'TaskFailed':
      return { event: it.name, error: errorOf(index), failures: it.attempt };
    case 'TaskCancelled':
      return { event: it.name, reason: index % 2 === 0 ? null : 'no longer "needed"\u0000', actor: null };
  }
}

function taskOf(task: number): Task {
  return {
    payload: JSON.stringify({ task, text: 'é "quoted" \\ \u0000' }),
    maxAttempts: 3,
    backoffBaseMs: 1_000,
    backoffFactor: 2,
    backoffCapMs: 300_000,
    notRetryable: task % 3 === 0 ? ['HTTP_STATUS'] : [],
    timeoutMs: 30_000,
    expiresAt: task % 4 === 0 ? 1_760_100_000_000 : null,
    tags: task % 2 === 0 ? [] : ['a', 'b "c", {d}\\', 'é'],
    idempotencyKey: task % 7 === 0 ? `key-${task}` : null,
    bodyHash: task % 7 === 0 ? 'f'.repeat(64) : null,
    scheduleId: null,
  };
}

function errorOf(index: number) {
  return { code: `CODE_${index % 3}`, message: `broke at "${index}"`, retryable: index % 2 === 0, details: null };
}

function resultOf(index: number) {
  const inline = index % 2 === 0;
  return {
    storage: inline ? 'inline' : 'mongo',
    value: JSON.stringify({ index }),
    ref: inline ? null : `ref.${index}`,
    preview: index % 3 === 0 ? 'preview' : null,
    size: 10,
    contentType: 'application/json',
    sha256: 'a'.repeat(64),
    ttlMs: index % 5 === 0 ? 86_400_000 : null,
  };
}
