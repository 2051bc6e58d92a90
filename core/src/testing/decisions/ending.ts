import type { TaskError, TaskQueued } from '@taskflow/schemas/events';
import fc from 'fast-check';
import { applyControl, type ControlRecord, emptyControl, isCancelled } from '../../control.ts';
import { expiredError, mayExpire } from '../../expiry.ts';
import { fetchOrder } from '../../fetchOrder.ts';
import { decideRetry } from '../../retryPolicy.ts';
import { error } from '../events.ts';
import { queuedEvent } from '../queuedEvent.ts';
import type { Decision } from './decision.ts';

interface RetryGiven {
  readonly queued: TaskQueued;
  readonly error: TaskError;
  /** Null: no orchestrator runs. */
  readonly random: number | null;
}

function retryGiven(
  { task, ...queued }: Partial<Omit<TaskQueued, 'task'>> & { task?: Partial<TaskQueued['task']> },
  random: number | null = 0.5,
  changes: Partial<TaskError> = {},
): RetryGiven {
  const event = queuedEvent(queued);
  return { queued: { ...event, task: { ...event.task, ...task } }, error: { ...error, ...changes }, random };
}

const final = { kind: 'final' };
const after = (delayMs: number) => ({ kind: 'retry', delayMs });

export const retry: Decision<RetryGiven> = {
  name: 'retry',
  about:
    'What follows a failed attempt: nothing, or a further one after a delay, which is random (0 to 1) times its bound, rounded down.',
  cases: [
    { name: 'the first failure', given: retryGiven({}), expected: after(500) },
    { name: 'the second failure: the bound has doubled', given: retryGiven({ failures: 1 }), expected: after(1_000) },
    { name: 'the last failure allowed', given: retryGiven({ failures: 2 }), expected: final },
    {
      name: 'only failures count, not attempts',
      given: retryGiven({ attempt: 9, recoveries: 4 }),
      expected: after(500),
    },
    { name: 'at the cap', given: retryGiven({ failures: 30, task: { maxAttempts: 99 } }), expected: after(150_000) },
    {
      name: 'a factor of its own',
      given: retryGiven({ failures: 1, task: { backoffFactor: 3 } }),
      expected: after(1_500),
    },
    {
      name: 'no delay',
      given: retryGiven({ failures: 98, task: { backoffBaseMs: 0, backoffFactor: 100, maxAttempts: 100 } }),
      expected: after(0),
    },
    { name: 'jitter at its least', given: retryGiven({}, 0), expected: after(0) },
    { name: 'jitter near its most', given: retryGiven({}, 0.9999), expected: after(999) },
    { name: 'not retryable', given: retryGiven({}, 0.5, { retryable: false }), expected: final },
    {
      name: 'of a code that the task does not retry',
      given: retryGiven({ task: { notRetryable: ['HTTP_STATUS'] } }),
      expected: final,
    },
    { name: 'one attempt only', given: retryGiven({ task: { maxAttempts: 1 } }), expected: final },
    { name: 'without an orchestrator', given: retryGiven({}, null), expected: final },
  ],
  more: fc
    .sample(
      fc.record({
        failures: fc.nat(6),
        maxAttempts: fc.integer({ min: 1, max: 8 }),
        backoffBaseMs: fc.integer({ min: 0, max: 5_000 }),
        backoffFactor: fc.constantFrom(1, 1.5, 2, 10),
        backoffCapMs: fc.integer({ min: 0, max: 60_000 }),
        random: fc.integer({ min: 0, max: 999 }),
      }),
      { numRuns: 40, seed: 9 },
    )
    .map(({ failures, random, ...task }) => retryGiven({ failures, task }, random / 1_000)),
  decide: ({ queued, error: of, random }) => decideRetry(queued, of, random === null ? undefined : { random }),
};

interface ExpiryGiven {
  readonly expiresAt: number | null;
  readonly attempt: number;
  readonly starts: number;
  /** The broker's time. */
  readonly at: number;
}

export const expiry: Decision<ExpiryGiven> = {
  name: 'expiry',
  about: 'Whether a record has expired as it is about to be started: starts is the number of this start.',
  cases: [
    { name: 'no expiry', given: { expiresAt: null, attempt: 1, starts: 1, at: 9_000 }, expected: false },
    { name: 'in time', given: { expiresAt: 5_000, attempt: 1, starts: 1, at: 4_999 }, expected: false },
    { name: 'too late', given: { expiresAt: 5_000, attempt: 1, starts: 1, at: 5_000 }, expected: true },
    {
      name: 'too late, but it had been started',
      given: { expiresAt: 5_000, attempt: 1, starts: 2, at: 9_000 },
      expected: false,
    },
    {
      name: 'too late, but not the first attempt',
      given: { expiresAt: 5_000, attempt: 2, starts: 1, at: 9_000 },
      expected: false,
    },
  ],
  decide: ({ expiresAt, attempt, starts, at }) =>
    mayExpire({ attempt }, starts) && expiredError({ ...queuedEvent().task, expiresAt }, at) !== undefined,
};

interface ControlGiven {
  readonly records: readonly { readonly key: string; readonly record: ControlRecord | null }[];
  readonly runs: readonly { readonly taskId: string; readonly generation: number }[];
}

const taskId = '01999999-0000-7000-8000-000000000001';
const about = { eventId: '01999999-0000-7000-8000-0000000000aa', occurredAt: 1_760_000_000_000 };
const cancel = (generation: number) => ({
  key: taskId,
  record: { event: 'TaskCancelRequested', taskId, generation, type: 'noop', priority: 'normal', ...about } as const,
});
const pause = {
  key: 'noop',
  record: { event: 'TypePaused', type: 'noop', reason: null, actor: null, ...about } as const,
};
const resume = { key: 'noop', record: { ...pause.record, event: 'TypeResumed' } as const };
const runs = [0, 1, 2].map((generation) => ({ taskId, generation }));

export const control: Decision<ControlGiven> = {
  name: 'control',
  about:
    'What taskflow.control says, read from its start (null: a tombstone): which runs are to be dropped, which types are paused.',
  cases: [
    { name: 'nothing', given: { records: [], runs }, expected: { cancelled: [false, false, false], paused: [] } },
    {
      name: 'a cancel drops its generation and older ones',
      given: { records: [cancel(1)], runs },
      expected: { cancelled: [true, true, false], paused: [] },
    },
    {
      name: 'an older cancel that comes late changes nothing',
      given: { records: [cancel(1), cancel(0)], runs },
      expected: { cancelled: [true, true, false], paused: [] },
    },
    {
      name: 'a tombstone',
      given: { records: [cancel(1), { key: taskId, record: null }], runs },
      expected: { cancelled: [false, false, false], paused: [] },
    },
    { name: 'a pause', given: { records: [pause], runs: [] }, expected: { cancelled: [], paused: ['noop'] } },
    { name: 'a resume', given: { records: [pause, resume], runs: [] }, expected: { cancelled: [], paused: [] } },
    {
      name: 'a tombstone of a pause',
      given: { records: [pause, { key: 'noop', record: null }], runs: [] },
      expected: { cancelled: [], paused: [] },
    },
    {
      name: 'a task of another id',
      given: { records: [cancel(9)], runs: [{ taskId: '01999999-0000-7000-8000-000000000002', generation: 0 }] },
      expected: { cancelled: [false], paused: [] },
    },
  ],
  decide({ records, runs: of }) {
    const state = emptyControl();
    for (const { key, record } of records) applyControl(state, key, record);
    return { cancelled: of.map((run) => isCancelled(state, run)), paused: [...state.paused] };
  },
};

export const order: Decision<{ readonly rounds: number }> = {
  name: 'fetch-order',
  about: 'Which queues to ask first, for rounds 0 to rounds - 1.',
  cases: [
    {
      name: 'a turn of 21 rounds',
      given: { rounds: 22 },
      expected: [...'hhhhnhhhhnhhhhnhhhhnl', 'h'].map((first) =>
        first === 'h'
          ? ['high', 'normal', 'low']
          : first === 'n'
            ? ['normal', 'high', 'low']
            : ['low', 'high', 'normal'],
      ),
    },
  ],
  decide: ({ rounds }) => Array.from({ length: rounds }, (_, round) => fetchOrder(round)),
};
