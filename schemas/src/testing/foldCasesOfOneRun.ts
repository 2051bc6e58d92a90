import { error, type FoldCase, given, idOf, other, queued, started, timeOf } from './foldCase.ts';
import { someTask } from './taskEvents.ts';

/** A task from its submission to its end, without anything going wrong but its handler. */
export const foldCasesOfOneRun: readonly FoldCase[] = [
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
  given(
    'of a file in the blob store the figures are kept',
    [
      queued,
      started,
      ['TaskSucceeded', { result: { ...resultIn('mongo'), storage: 's3', contentType: 'image/webp' } }],
    ],
    {
      result: { ...resultIn('mongo'), storage: 's3', contentType: 'image/webp' },
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
