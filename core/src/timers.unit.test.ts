import type { TaskEvent } from '@taskflow/schemas/events';
import type { RecordedEvent } from '@taskflow/schemas/fold';
import { expect } from 'chai';
import fc from 'fast-check';
import { cancelled, failed, handedOver, heartbeat, retryScheduled, started, succeeded } from './testing/events.ts';
import { queuedEvent } from './testing/queuedEvent.ts';
import { admit, fireTimer, mayFire } from './timerFiring.ts';
import { applyToTimers, isForgettable, restartLease, type TimerRow } from './timers.ts';
import { workerStopped } from './workerStopped.ts';

const appendedAt = 1_760_000_200_000;
const readAt = 1_760_000_900_000;
const stamp = { now: readAt, eventId: '01999999-0000-7000-8000-0000000000f1' };

function scheduled(runAt: number | null): TaskEvent {
  const { event: _, failures, recoveries, eventsPartition, cause, check, ...head } = queuedEvent();
  return { event: 'TaskScheduled', ...head, runAt };
}

const recorded = (event: TaskEvent): RecordedEvent => ({ event, topic: '', partition: 2, offset: 0, appendedAt });

/** Given the events in this order, then the row. */
function rowOf(...events: readonly TaskEvent[]): TimerRow | undefined {
  return events.reduce<TimerRow | undefined>((row, event) => applyToTimers(row, recorded(event), readAt), undefined);
}

describe('applyToTimers', () => {
  it('keeps no row of a task that asks for nothing later', () => {
    expect(rowOf(queuedEvent(), started(), heartbeat(), succeeded())).to.equal(undefined);
  });

  it('sets a timer for when the task is to run, in the partition that holds its events', () => {
    expect(rowOf(scheduled(appendedAt + 5_000))).to.deep.include({
      eventsPartition: 2,
      generation: 0,
      attempt: 1,
      endedAt: null,
    });
    expect(rowOf(scheduled(appendedAt + 5_000))?.timer).to.include({ kind: 'run', due: appendedAt + 5_000 });
  });

  it('sets a retry’s timer as long after its append as the worker asked for, whatever the worker’s clock says', () => {
    const retry = retryScheduled();
    const row = rowOf(started(), retry);
    expect(row?.timer).to.deep.include({ kind: 'retry', due: appendedAt + 500, failures: 1, released: false });
  });

  it('knows an attempt that was given back from one that failed', () => {
    const givenBack = workerStopped(queuedEvent(), 'The worker stops', { ...stamp, workerId: 'w' });
    expect(rowOf(started(), givenBack)?.timer).to.include({
      kind: 'retry',
      due: appendedAt,
      failures: 0,
      released: true,
    });
  });

  it('counts a lease from the reading of its last heartbeat', () => {
    expect(rowOf(started(), handedOver())?.timer).to.include({ kind: 'lease', due: readAt + 30_000 });
    const row = rowOf(started(), handedOver());
    const later = applyToTimers(row, recorded(heartbeat()), readAt + 10_000);
    expect(later?.timer).to.include({ kind: 'lease', due: readAt + 40_000 });
  });

  it('is not prolonged by a heartbeat of an older attempt', () => {
    const row = rowOf(handedOver({ attempt: 2 }));
    expect(applyToTimers(row, recorded(heartbeat({ attempt: 1 })), readAt + 10_000)).to.equal(row);
  });

  for (const [name, event] of [
    ['a TaskQueued of the next attempt', queuedEvent({ attempt: 2, cause: 'retry' })],
    ['a start of the next attempt', started({ attempt: 2 })],
    ['a success', succeeded()],
    ['a late success of an older attempt', succeeded({ attempt: 0 })],
    ['a failure', failed()],
    ['a cancel', cancelled()],
    ['a redrive', queuedEvent({ generation: 1, cause: 'redrive' })],
  ] as const) {
    it(`loses its timer to ${name}`, () => {
      expect(rowOf(retryScheduled(), event)?.timer).to.equal(null);
      expect(rowOf(handedOver(), event)?.timer).to.equal(null);
    });
  }

  it('sets nothing for what comes behind the end', () => {
    const ended = rowOf(retryScheduled(), succeeded());
    for (const late of [handedOver(), retryScheduled({ attempt: 2 }), heartbeat()]) {
      expect(applyToTimers(ended, recorded(late), readAt + 1)).to.equal(ended);
    }
  });

  it('remembers a cancel: the retry that its task asks for at the same moment sets nothing', () => {
    expect(rowOf(cancelled(), retryScheduled())?.timer).to.equal(null);
  });

  it('sets nothing for a retry whose next attempt was read from the queue before', () => {
    expect(rowOf(queuedEvent({ attempt: 2, cause: 'retry' }), retryScheduled())?.timer).to.equal(null);
  });

  it('gives the same timer in every interleaving of the two families', () => {
    const queue = [
      queuedEvent(),
      queuedEvent({ attempt: 2, cause: 'retry' }),
      queuedEvent({ attempt: 3, cause: 'recover' }),
    ];
    const events = [
      started(),
      retryScheduled(),
      started({ attempt: 2 }),
      handedOver({ attempt: 2 }),
      handedOver({ attempt: 3 }),
    ];
    const inOrder = rowOf(...queue, ...events);
    const turns = fc.shuffledSubarray([...queue.map(() => true), ...events.map(() => false)], {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(turns, (isQueue) => {
        const [q, e] = [[...queue], [...events]];
        expect(rowOf(...isQueue.map((first) => (first ? q.shift()! : e.shift()!)))).to.deep.equal(inOrder);
      }),
    );
  });

  it('bears every event twice', () => {
    const events = [
      scheduled(appendedAt),
      queuedEvent({ cause: 'schedule' }),
      started(),
      handedOver(),
      heartbeat(),
      retryScheduled(),
      succeeded(),
    ];
    fc.assert(
      fc.property(fc.subarray(events), (some) => {
        expect(rowOf(...some, ...some)).to.deep.equal(rowOf(...some));
      }),
    );
  });
});

describe('restartLease', () => {
  it('gives a lease its whole time again, and leaves other timers as they are', () => {
    const lease = rowOf(handedOver())!;
    expect(restartLease(lease, readAt + 60_000).timer?.due).to.equal(readAt + 90_000);
    const retry = rowOf(retryScheduled())!;
    expect(restartLease(retry, readAt + 60_000)).to.equal(retry);
  });
});

describe('isForgettable', () => {
  it('holds an hour after the end', () => {
    const row = rowOf(retryScheduled(), succeeded())!;
    expect(isForgettable(row, readAt + 3_599_999)).to.equal(false);
    expect(isForgettable(row, readAt + 3_600_000)).to.equal(true);
    expect(isForgettable(rowOf(retryScheduled())!, readAt + 9_999_999)).to.equal(false);
  });
});

describe('mayFire', () => {
  const row = rowOf(retryScheduled())!;
  const due = row.timer!.due!;
  const read = { position: 10, end: 10, endAskedAt: due };

  it('waits for the due time, and for all that was on the log then', () => {
    expect(mayFire(row, [read])).to.equal(true);
    expect(mayFire(row, [{ ...read, endAskedAt: due - 1 }])).to.equal(false);
    expect(mayFire(row, [{ ...read, position: 9 }])).to.equal(false);
    expect(mayFire(row, [read, { ...read, position: 9 }])).to.equal(false);
  });

  it('never fires what is held, or has no timer', () => {
    expect(mayFire(rowOf(scheduled(null))!, [read])).to.equal(false);
    expect(mayFire(rowOf(cancelled())!, [read])).to.equal(false);
  });
});

describe('fireTimer', () => {
  it('queues the first attempt', () => {
    const { event } = fireTimer(rowOf(scheduled(appendedAt))!, stamp);
    expect(event).to.deep.include({
      event: 'TaskQueued',
      attempt: 1,
      cause: 'schedule',
      check: false,
      eventsPartition: 2,
    });
  });

  it('queues the next attempt after a failure, with what has failed', () => {
    const { event } = fireTimer(rowOf(retryScheduled())!, stamp);
    expect(event).to.include({
      event: 'TaskQueued',
      attempt: 2,
      cause: 'retry',
      failures: 1,
      recoveries: 0,
      check: false,
    });
  });

  it('queues a release', () => {
    const row = rowOf(workerStopped(queuedEvent(), 'x', { ...stamp, workerId: 'w' }))!;
    expect(fireTimer(row, stamp).event).to.include({ attempt: 2, cause: 'release', failures: 0, check: false });
  });

  it('recovers a lost run, which is to be checked', () => {
    const { event } = fireTimer(rowOf(handedOver({ recoveries: 4, failures: 1 }))!, stamp);
    expect(event).to.include({ attempt: 2, cause: 'recover', recoveries: 5, failures: 1, check: true });
  });

  it('gives up after five recoveries', () => {
    const { event, row } = fireTimer(rowOf(handedOver({ attempt: 6, recoveries: 5 }))!, stamp);
    expect(event).to.deep.include({ event: 'TaskFailed', attempt: 6, failures: 0 });
    expect(event).to.have.nested.property('error.code', 'WORKER_LOST');
    expect(row).to.include({ endedAt: readAt, timer: null });
  });

  it('fires once: the row is as if what it emitted had been read', () => {
    for (const row of [rowOf(scheduled(appendedAt))!, rowOf(retryScheduled())!, rowOf(handedOver())!]) {
      const fired = fireTimer(row, stamp);
      expect(applyToTimers(fired.row, recorded(fired.event), readAt)).to.equal(fired.row);
      expect(() => fireTimer(fired.row, stamp)).to.throw('has no timer');
    }
  });

  it('is not undone by what comes late', () => {
    const fired = fireTimer(rowOf(handedOver())!, stamp).row;
    for (const late of [heartbeat(), handedOver(), retryScheduled()]) {
      expect(applyToTimers(fired, recorded(late), readAt)).to.equal(fired);
    }
  });

  it('lets the attempt that it queued have timers of its own', () => {
    const fired = fireTimer(rowOf(scheduled(appendedAt))!, stamp).row;
    expect(applyToTimers(fired, recorded(retryScheduled()), readAt)?.timer).to.include({ kind: 'retry' });
  });
});

describe('admit', () => {
  it('lets a held task go', () => {
    expect(admit(rowOf(scheduled(null))!, stamp).event).to.include({ event: 'TaskQueued', attempt: 1, cause: 'admit' });
  });
});
