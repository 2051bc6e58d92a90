import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { decideHandOver, isOvertakenBy } from '../../handOver.ts';
import {
  decideReport,
  heartbeatAcknowledged,
  isHeartbeatDue,
  isHeld,
  isRenewalDue,
  type RunHold,
} from '../../runHold.ts';
import { decideStop } from '../../workerStopped.ts';
import { cancelled, failed, handedOver, heartbeat, retryScheduled, started, succeeded } from '../events.ts';
import { queuedEvent } from '../queuedEvent.ts';
import type { Decision } from './decision.ts';

/** Of a monotonic clock, in milliseconds: the record came at 0. */
const locked: RunHold = { lockedUntil: 15_000, lockLost: false, leaseUntil: null, overtaken: false };
const leased: RunHold = { ...locked, leaseUntil: 40_000 };

interface HandOverGiven {
  readonly run: { readonly since: number; readonly offset: number; readonly hold: RunHold };
  readonly now: number;
  readonly highest: number;
}

function handOverGiven(hold: RunHold, now: number, highest = 100): HandOverGiven {
  return { run: { since: 0, offset: 100, hold }, now, highest };
}

const atOnce = { lookFirst: false, lookAfter: false };

export const handOver: Decision<HandOverGiven> = {
  name: 'hand-over',
  about:
    'Whether a run that is locked hands its lease over to the log now, and whether its worker reads the log before or after it. Times of its monotonic clock, with the default values (10 s, window of 10,000). then: null where not.',
  cases: [
    { name: 'a young run', given: handOverGiven(locked, 9_999), expected: null },
    { name: 'by age', given: handOverGiven(locked, 10_000), expected: { reason: 'age', ...atOnce } },
    {
      name: 'the partition is not a quarter of the window beyond it',
      given: handOverGiven(locked, 10, 2_599),
      expected: null,
    },
    { name: 'by window', given: handOverGiven(locked, 10, 2_600), expected: { reason: 'window', ...atOnce } },
    {
      name: 'its session is lost: at once, and then it looks who was faster',
      given: handOverGiven({ ...locked, lockLost: true }, 10),
      expected: { reason: 'session-lost', lookFirst: false, lookAfter: true },
    },
    {
      name: 'its lock may have passed: it looks first',
      given: handOverGiven(locked, 15_000),
      expected: { reason: 'lock-passed', lookFirst: true, lookAfter: true },
    },
    {
      name: 'its session is lost, and its lock has passed',
      given: handOverGiven({ ...locked, lockLost: true }, 70_000),
      expected: { reason: 'lock-passed', lookFirst: true, lookAfter: true },
    },
    { name: 'handed over already', given: handOverGiven(leased, 20_000, 9_000), expected: null },
    { name: 'overtaken', given: handOverGiven({ ...locked, overtaken: true }, 20_000), expected: null },
  ],
  decide: ({ run, now, highest }) => decideHandOver(run, { now, highest }),
};

interface OvertakenGiven {
  readonly event: TaskEvent;
  readonly run: TaskQueued;
  readonly workerId: string;
}

const other = 'worker-2.4712.p8q1';

function overtakenGiven(event: TaskEvent): OvertakenGiven {
  return { event, run: queuedEvent({ attempt: 2 }), workerId: 'worker-1.4711.k3x9' };
}

export const overtaken: Decision<OvertakenGiven> = {
  name: 'overtaken',
  about:
    'Whether an event found behind a run’s own start, and not written by that run, means that the run is its worker’s no more. The run is attempt 2.',
  cases: [
    {
      name: 'started by another',
      given: overtakenGiven(started({ attempt: 2 }, { workerId: other, starts: 2 })),
      expected: true,
    },
    {
      name: 'an older attempt was started',
      given: overtakenGiven(started({ attempt: 1 }, { workerId: other })),
      expected: false,
    },
    {
      name: 'handed over in its own name by another',
      given: overtakenGiven(handedOver({ attempt: 2 })),
      expected: false,
    },
    { name: 'a heartbeat of another', given: overtakenGiven(heartbeat({ attempt: 2 }, other)), expected: false },
    { name: 'a retry', given: overtakenGiven(retryScheduled({ attempt: 2 }, other)), expected: true },
    {
      name: 'a retry of the attempt before',
      given: overtakenGiven(retryScheduled({ attempt: 1 }, other)),
      expected: false,
    },
    { name: 'an end', given: overtakenGiven(succeeded({ attempt: 1 }, other)), expected: true },
    { name: 'a failure', given: overtakenGiven(failed({ attempt: 2 }, other)), expected: true },
    { name: 'a cancel', given: overtakenGiven(cancelled({ attempt: 1 })), expected: true },
    { name: 'a later attempt', given: overtakenGiven(heartbeat({ attempt: 3 }, other)), expected: true },
    {
      name: 'a later generation',
      given: overtakenGiven(started({ generation: 1, attempt: 1 }, { workerId: other })),
      expected: true,
    },
    {
      name: 'another task',
      given: overtakenGiven(failed({ attempt: 2, taskId: '01999999-0000-7000-8000-0000000000ff' }, other)),
      expected: false,
    },
  ],
  decide: ({ event, run, workerId }) => isOvertakenBy(event, run, workerId),
};

export const report: Decision<{
  readonly outcome: 'success' | 'failure';
  readonly hold: RunHold;
  readonly now: number;
}> = {
  name: 'report',
  about: 'What a run may say of its end. A retry is a failure here. Times of the worker’s monotonic clock.',
  cases: [
    { name: 'success under the lock', given: { outcome: 'success', hold: locked, now: 1 }, expected: 'report' },
    { name: 'failure under the lock', given: { outcome: 'failure', hold: locked, now: 14_999 }, expected: 'report' },
    {
      name: 'failure as the lock has passed',
      given: { outcome: 'failure', hold: locked, now: 15_000 },
      expected: 'after-hand-over',
    },
    {
      name: 'failure as the session is lost',
      given: { outcome: 'failure', hold: { ...locked, lockLost: true }, now: 1 },
      expected: 'after-hand-over',
    },
    { name: 'failure within the lease', given: { outcome: 'failure', hold: leased, now: 39_999 }, expected: 'report' },
    {
      name: 'failure within the lease, whatever has become of the lock',
      given: { outcome: 'failure', hold: { ...leased, lockLost: true }, now: 39_999 },
      expected: 'report',
    },
    {
      name: 'failure as the lease has passed',
      given: { outcome: 'failure', hold: leased, now: 40_000 },
      expected: 'withhold',
    },
    { name: 'success of a zombie', given: { outcome: 'success', hold: leased, now: 90_000 }, expected: 'report' },
    {
      name: 'failure of a run that was overtaken',
      given: { outcome: 'failure', hold: { ...leased, overtaken: true }, now: 1 },
      expected: 'withhold',
    },
    {
      name: 'success of a run that was overtaken',
      given: { outcome: 'success', hold: { ...locked, overtaken: true }, now: 1 },
      expected: 'report',
    },
  ],
  decide: ({ outcome, hold, now }) => decideReport(outcome, hold, now),
};

interface UpkeepGiven {
  readonly hold: RunHold;
  /** When its lock was last renewed, and its last heartbeat written. */
  readonly renewedAt: number;
  readonly writtenAt: number;
  readonly now: number;
}

const upkeepGiven = (hold: RunHold, now: number): UpkeepGiven => ({ hold, renewedAt: 0, writtenAt: 10_000, now });

export const upkeep: Decision<UpkeepGiven> = {
  name: 'upkeep',
  about: 'What a run is due for: the renewal of its lock (each 5 s), a heartbeat (each third of a lease of 30 s).',
  cases: [
    { name: 'locked, not yet', given: upkeepGiven(locked, 4_999), expected: { renew: false, heartbeat: false } },
    { name: 'locked', given: upkeepGiven(locked, 5_000), expected: { renew: true, heartbeat: false } },
    {
      name: 'the lock is lost',
      given: upkeepGiven({ ...locked, lockLost: true }, 5_000),
      expected: { renew: false, heartbeat: false },
    },
    { name: 'handed over, not yet', given: upkeepGiven(leased, 19_999), expected: { renew: false, heartbeat: false } },
    { name: 'handed over', given: upkeepGiven(leased, 20_000), expected: { renew: false, heartbeat: true } },
  ],
  decide: ({ hold, renewedAt, writtenAt, now }) => ({
    renew: isRenewalDue(hold, renewedAt, now),
    heartbeat: isHeartbeatDue(hold, writtenAt, now),
  }),
};

interface HeartbeatGiven {
  readonly hold: RunHold;
  readonly sentAt: number;
  readonly now: number;
}

export const heartbeats: Decision<HeartbeatGiven> = {
  name: 'heartbeat-acknowledged',
  about: 'The hold after a heartbeat (or the hand-over) that left at sentAt is acknowledged now; the lease is 30 s.',
  cases: [
    {
      name: 'the hand-over',
      given: { hold: locked, sentAt: 10_000, now: 10_003 },
      expected: { ...locked, leaseUntil: 40_000 },
    },
    {
      name: 'in time',
      given: { hold: leased, sentAt: 20_000, now: 20_003 },
      expected: { ...leased, leaseUntil: 50_000 },
    },
    {
      name: 'as the lease had passed: it stays a zombie’s',
      given: { hold: leased, sentAt: 39_000, now: 40_000 },
      expected: { ...leased, leaseUntil: 69_000, overtaken: true },
    },
    {
      name: 'a zombie’s',
      given: { hold: { ...leased, overtaken: true }, sentAt: 20_000, now: 20_003 },
      expected: { ...leased, leaseUntil: 50_000, overtaken: true },
    },
  ],
  decide: ({ hold, sentAt, now }) => heartbeatAcknowledged(hold, sentAt, now),
};

export const stop: Decision<{ readonly hold: RunHold; readonly now: number }> = {
  name: 'stop',
  about: 'What a stopping worker does with a run that its grace did not suffice for.',
  cases: [
    { name: 'locked', given: { hold: locked, now: 1 }, expected: 'release' },
    { name: 'handed over', given: { hold: leased, now: 20_000 }, expected: 'give-back' },
    { name: 'handed over, and the lease may have passed', given: { hold: leased, now: 40_000 }, expected: 'leave' },
  ],
  decide: ({ hold, now }) => decideStop({ handedOver: hold.leaseUntil !== null, held: isHeld(hold, now) }),
};
