import { error, type FoldCase, given, idOf, other, queued, started, timeOf } from './foldCase.ts';
import { someTask } from './taskEvents.ts';

/** Second deliveries, late and stale events, zombies, copies, cancels, redrives. */
export const foldCasesOfManyRuns: readonly FoldCase[] = [
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
