import type { TaskEvent } from '../events.ts';
import type { RecordedEvent, TaskState } from '../fold.ts';
import { recorded, someTask, taskEvent } from './taskEvents.ts';

/** Given the log, in the order in which its events were appended, then the state has these parts. */
export interface FoldCase {
  readonly name: string;
  readonly given: readonly RecordedEvent[];
  readonly then: Partial<TaskState>;
  /** Of the lines of the timeline, those that did not count: event ids. */
  readonly notCounted: readonly string[];
}

type Step = readonly [name: TaskEvent['event'], changes?: object] | { readonly copyOf: number };

/** The id of the n-th event of a case, from 0. */
export function idOf(n: number): string {
  return `01999999-2000-7000-8000-${String(n).padStart(12, '0')}`;
}

/** When the n-th event of a case happened: one a second. */
export function timeOf(n: number): number {
  return 1_760_000_000_000 + n * 1_000;
}

/** Appends events in order. Ids and times ascend; a copy has those of the event that it copies. */
function logOf(steps: readonly Step[]): readonly RecordedEvent[] {
  const log: RecordedEvent[] = [];
  const ends = { queue: 100, events: 200 };
  for (const [n, step] of steps.entries()) {
    const event =
      'copyOf' in step
        ? log[step.copyOf]!.event
        : taskEvent(step[0], { eventId: idOf(n), occurredAt: timeOf(n), ...step[1] });
    log.push(recorded(event, event.event === 'TaskQueued' ? ends.queue++ : ends.events++));
  }
  return log;
}

function given(
  name: string,
  steps: readonly Step[],
  then: Partial<TaskState>,
  notCounted: readonly number[] = [],
): FoldCase {
  return { name, given: logOf(steps), then, notCounted: notCounted.map(idOf) };
}

const other = 'worker-2.4712.p8q1';
const error = { code: 'HTTP_STATUS', message: 'answered 503', retryable: true };
const queued: Step = ['TaskQueued'];
const started: Step = ['TaskStarted'];

/** The meaning of the state machine, by example. Written by hand; the conformance vectors are made from it. */
export const foldCases: readonly FoldCase[] = [
  given('a submitted task is queued', [queued], {
    status: 'queued',
    version: 5,
    generation: 0,
    attempt: 1,
    submission: someTask,
    createdAt: timeOf(0),
    queuedAt: timeOf(0),
    startedAt: null,
    finishedAt: null,
    workerId: null,
    queue: { topic: 'taskflow.queue.web_scrape.normal', partition: 0, offset: 100 },
    events: null,
  }),
  given('a started task whose TaskQueued has not come has no submission', [started], {
    status: 'running',
    version: 6,
    submission: null,
    queue: null,
    queuedAt: null,
    startedAt: timeOf(0),
    workerId: 'worker-1.4711.k3x9',
    events: { topic: 'taskflow.events.web_scrape.normal', partition: 2, firstOffset: 200, lastOffset: 200 },
  }),
  given('a start that comes before its TaskQueued counts all the same', [started, queued], {
    status: 'running',
    submission: someTask,
    createdAt: timeOf(1),
    queuedAt: timeOf(1),
    startedAt: timeOf(0),
  }),
  given('a success ends the task', [queued, started, ['TaskSucceeded']], {
    status: 'success',
    version: 2 ** 22,
    attempt: 1,
    startedAt: timeOf(1),
    finishedAt: timeOf(2),
    error: null,
    retryCount: 0,
    decidedBy: idOf(2),
    events: { topic: 'taskflow.events.web_scrape.normal', partition: 2, firstOffset: 200, lastOffset: 201 },
  }),
  given('an inline result is kept', [queued, started, ['TaskSucceeded', { result: resultIn('inline') }]], {
    result: resultIn('inline'),
  }),
  given(
    'of a result in Mongo the value is not kept',
    [queued, started, ['TaskSucceeded', { result: resultIn('mongo') }]],
    {
      result: { ...resultIn('mongo'), value: null },
    },
  ),
  given('a failure ends the task and shows its error without details', [queued, started, ['TaskFailed']], {
    status: 'failed',
    version: 2 ** 22,
    finishedAt: timeOf(2),
    error: { code: 'HANDLER_ERROR', message: 'broke', retryable: true },
    result: null,
  }),
  given('a task for later is scheduled', [['TaskScheduled', { runAt: timeOf(600) }]], {
    status: 'scheduled',
    version: 4,
    submission: someTask,
    createdAt: timeOf(0),
    runAt: timeOf(600),
    queuedAt: null,
    queue: null,
  }),
  given('a held task is scheduled for no time', [['TaskScheduled', { runAt: null }]], {
    status: 'scheduled',
    runAt: null,
  }),
  given(
    'a scheduled task that is due is queued',
    [
      ['TaskScheduled', { runAt: timeOf(600) }],
      ['TaskQueued', { cause: 'schedule' }],
    ],
    {
      status: 'queued',
      attempt: 1,
      createdAt: timeOf(0),
      runAt: timeOf(600),
      queuedAt: timeOf(1),
      submittedBy: idOf(1),
    },
  ),
  given('a scheduled task can be cancelled', [['TaskScheduled'], ['TaskCancelled']], {
    status: 'cancelled',
    finishedAt: timeOf(1),
    workerId: null,
    error: null,
  }),
  given(
    'a failed attempt with a retry due is retrying',
    [queued, started, ['TaskRetryScheduled', { retryAt: timeOf(60) }]],
    {
      status: 'retrying',
      version: 7,
      attempt: 1,
      error,
      runAt: timeOf(60),
      retryCount: 1,
      startedAt: timeOf(1),
      finishedAt: null,
    },
  ),
  given(
    'the next attempt starts without the last one’s error and times',
    [queued, started, ['TaskRetryScheduled'], ['TaskQueued', { attempt: 2, cause: 'retry' }]],
    {
      status: 'queued',
      version: 9,
      attempt: 2,
      error: null,
      runAt: null,
      retryCount: 1,
      createdAt: timeOf(0),
      queuedAt: timeOf(3),
      startedAt: null,
      workerId: null,
      queue: { topic: 'taskflow.queue.web_scrape.normal', partition: 0, offset: 101 },
    },
  ),
  given(
    'a success of the second attempt shows that attempt',
    [
      queued,
      started,
      ['TaskRetryScheduled'],
      ['TaskQueued', { attempt: 2 }],
      ['TaskStarted', { attempt: 2, workerId: other }],
      ['TaskSucceeded', { attempt: 2, workerId: other }],
    ],
    { status: 'success', attempt: 2, startedAt: timeOf(4), workerId: other, retryCount: 1, error: null },
  ),
  given(
    'a second delivery is the same attempt: the first start’s time, the last one’s worker',
    [
      queued,
      started,
      ['TaskHeartbeat', { progress: 0.5 }],
      ['TaskStarted', { workerId: other, delivery: 2, starts: 2 }],
    ],
    { status: 'running', attempt: 1, startedAt: timeOf(1), workerId: other, progress: null },
  ),
  given(
    'of a run’s heartbeats the last shows, and only the last is kept',
    [queued, started, ['TaskHeartbeat', { progress: 0.25 }], ['TaskHeartbeat', { progress: 0.75 }]],
    {
      status: 'running',
      version: 6,
      progress: 0.75,
      events: { topic: 'taskflow.events.web_scrape.normal', partition: 2, firstOffset: 200, lastOffset: 202 },
    },
  ),
  given(
    'a hand-over in the starter’s name leaves its progress',
    [queued, started, ['TaskHeartbeat', { progress: 0.25 }], ['TaskHeartbeat', { task: someTask }]],
    { status: 'running', progress: 0.25 },
  ),
  given(
    'a late success of an older attempt ends the task and shows that attempt',
    [
      queued,
      started,
      ['TaskQueued', { attempt: 2, cause: 'recover' }],
      ['TaskStarted', { attempt: 2, workerId: other }],
      ['TaskSucceeded'],
    ],
    { status: 'success', attempt: 1, queuedAt: timeOf(0), startedAt: timeOf(1), workerId: 'worker-1.4711.k3x9' },
  ),
  given(
    'a zombie’s second end changes nothing',
    [queued, started, ['TaskSucceeded'], ['TaskFailed', { workerId: other }]],
    { status: 'success', finishedAt: timeOf(2), error: null, decidedBy: idOf(2) },
    [3],
  ),
  given(
    'a zombie’s heartbeat behind the end changes nothing',
    [
      queued,
      started,
      ['TaskHeartbeat', { progress: 0.5 }],
      ['TaskSucceeded'],
      ['TaskHeartbeat', { workerId: other, progress: 0.1 }],
    ],
    { status: 'success', workerId: 'worker-1.4711.k3x9', progress: 0.5 },
    [4],
  ),
  given(
    'a cancel beats a retry that is under way',
    [
      queued,
      started,
      ['TaskRetryScheduled'],
      ['TaskCancelled'],
      ['TaskQueued', { attempt: 2 }],
      ['TaskStarted', { attempt: 2 }],
    ],
    { status: 'cancelled', attempt: 1, finishedAt: timeOf(3), error, retryCount: 1 },
    [5],
  ),
  given(
    'a success behind a cancel changes nothing',
    [queued, started, ['TaskCancelled'], ['TaskSucceeded']],
    {
      status: 'cancelled',
      result: null,
    },
    [3],
  ),
  given(
    'a redrive opens the task again',
    [
      queued,
      started,
      ['TaskFailed'],
      ['TaskQueued', { generation: 1, cause: 'redrive', task: { ...someTask, timeoutMs: 5 } }],
    ],
    {
      status: 'queued',
      version: 2 ** 23 + 5,
      generation: 1,
      attempt: 1,
      error: null,
      finishedAt: null,
      startedAt: null,
      createdAt: timeOf(0),
      queuedAt: timeOf(3),
      submission: { ...someTask, timeoutMs: 5 },
    },
  ),
  given(
    'an end of the generation before a redrive changes nothing',
    [
      queued,
      started,
      ['TaskFailed'],
      ['TaskQueued', { generation: 1 }],
      ['TaskStarted', { generation: 1 }],
      ['TaskSucceeded'],
    ],
    { status: 'running', generation: 1, startedAt: timeOf(4), result: null },
    [5],
  ),
  given(
    'each generation has an end of its own, the first of it',
    [
      queued,
      started,
      ['TaskFailed'],
      ['TaskQueued', { generation: 1 }],
      ['TaskStarted', { generation: 1 }],
      ['TaskSucceeded', { generation: 1 }],
      ['TaskCancelled', { generation: 1 }],
    ],
    { status: 'success', generation: 1, version: 3 * 2 ** 22, finishedAt: timeOf(5) },
    [6],
  ),
  given(
    'retries are counted within the generation',
    [
      queued,
      ['TaskRetryScheduled'],
      ['TaskQueued', { attempt: 2 }],
      ['TaskRetryScheduled', { attempt: 2 }],
      ['TaskFailed', { attempt: 2 }],
      ['TaskQueued', { generation: 1 }],
      ['TaskRetryScheduled', { generation: 1 }],
    ],
    { status: 'retrying', generation: 1, retryCount: 1 },
  ),
  given(
    'of two TaskQueued of one attempt the one with the smaller event id counts',
    [
      ['TaskQueued', { eventId: idOf(9) }],
      ['TaskQueued', { eventId: idOf(1), check: true }],
    ],
    {
      status: 'queued',
      queuedAt: timeOf(1),
      createdAt: timeOf(0),
      submittedBy: idOf(1),
      queue: { topic: 'taskflow.queue.web_scrape.normal', partition: 0, offset: 101 },
    },
    [9],
  ),
  given(
    'an event that was appended twice is one event, at its first place',
    [queued, started, ['TaskSucceeded'], { copyOf: 0 }, { copyOf: 1 }, { copyOf: 2 }],
    {
      status: 'success',
      queue: { topic: 'taskflow.queue.web_scrape.normal', partition: 0, offset: 100 },
      events: { topic: 'taskflow.events.web_scrape.normal', partition: 2, firstOffset: 200, lastOffset: 201 },
    },
  ),
  given(
    'a retry that two runs of an attempt ask for counts once',
    [queued, started, ['TaskRetryScheduled'], ['TaskRetryScheduled', { workerId: other, retryAt: timeOf(90) }]],
    { status: 'retrying', retryCount: 1, runAt: 1_760_000_060_000 },
    [3],
  ),
  given(
    'a retry of an attempt that was given up for lost does not count',
    [
      queued,
      started,
      ['TaskQueued', { attempt: 2, cause: 'recover' }],
      ['TaskStarted', { attempt: 2 }],
      ['TaskRetryScheduled'],
    ],
    { status: 'running', attempt: 2, retryCount: 0, error: null },
    [4],
  ),
];

function resultIn(storage: 'inline' | 'mongo') {
  return {
    storage,
    value: '{"title":"Example"}',
    ref: storage === 'mongo' ? '01999999-0000-7000-8000-000000000001.0.1.worker-1.4711.k3x9' : null,
    preview: 'Example',
    size: 19,
    contentType: 'application/json',
    sha256: '0f0d2d4c3c5b3e4ac4a0c3d9d0d6c2c1a7f0b3cb9c0a4b8c2f6d8f2b6a3e1d5c',
    ttlMs: 86_400_000,
  };
}
