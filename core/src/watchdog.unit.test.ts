import { expect } from 'chai';
import { queuedEvent } from './testing/queuedEvent.ts';
import { isForgotten, recoverForgotten, type WatchedQueue, type WatchedTask } from './watchdog.ts';

const task: WatchedTask = { ended: false, hasTimer: false, hasOutboxRow: false, queueOffset: 9 };
const queue: WatchedQueue = { passed: 10, passedAskedAt: 1_000, seenUpTo: 1_000, now: 61_000 };

describe('isForgotten', () => {
  it('finds a task whose record was passed a minute ago, and for which nothing is due', () => {
    expect(isForgotten(task, queue)).to.equal(true);
  });

  it('finds no task that has ended, or for which something is due', () => {
    expect(isForgotten({ ...task, ended: true }, queue)).to.equal(false);
    expect(isForgotten({ ...task, hasTimer: true }, queue)).to.equal(false);
    expect(isForgotten({ ...task, hasOutboxRow: true }, queue)).to.equal(false);
  });

  it('finds no task whose record is still in the queue', () => {
    expect(isForgotten({ ...task, queueOffset: 10 }, queue)).to.equal(false);
  });

  it('waits a minute, and for views and timers that are behind', () => {
    expect(isForgotten(task, { ...queue, now: 60_999 })).to.equal(false);
    expect(isForgotten(task, { ...queue, seenUpTo: 999 })).to.equal(false);
  });
});

describe('recoverForgotten', () => {
  const stamp = { now: 1, eventId: '01999999-0000-7000-8000-0000000000f1' };

  it('queues the next attempt, to be checked', () => {
    const event = recoverForgotten(queuedEvent({ attempt: 2, failures: 1, recoveries: 4 }), stamp);
    expect(event).to.include({
      event: 'TaskQueued',
      attempt: 3,
      failures: 1,
      recoveries: 5,
      cause: 'recover',
      check: true,
    });
  });

  it('gives up after five recoveries', () => {
    const event = recoverForgotten(queuedEvent({ attempt: 6, recoveries: 5 }), stamp);
    expect(event).to.have.nested.property('error.code', 'WORKER_LOST');
  });
});
