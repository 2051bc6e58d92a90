import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { expect } from 'chai';
import fc from 'fast-check';
import { decideDelivered } from './deliveredCheck.ts';
import { fetchOrder } from './fetchOrder.ts';
import { nothingFound, withFound } from './findings.ts';
import { backoffBoundMs, decideRetry } from './retryPolicy.ts';
import { decideReport, heartbeatAcknowledged, lockedHold } from './runHold.ts';
import { suspicionOf } from './suspicion.ts';
import { error, failed, handedOver, heartbeat, retryScheduled, started, succeeded } from './testing/events.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

const builders: readonly ((of: Partial<TaskQueued>) => TaskEvent)[] = [
  started,
  handedOver,
  heartbeat,
  retryScheduled,
  succeeded,
  failed,
];

const anyEvent: fc.Arbitrary<TaskEvent> = fc
  .record({
    build: fc.constantFrom(...builders),
    attempt: fc.integer({ min: 1, max: 3 }),
    generation: fc.nat(1),
  })
  .map(({ build, ...of }) => build(of));

const record = { queued: queuedEvent({ attempt: 2 }), partition: 0, offset: 7 };

function found(events: readonly TaskEvent[], of = record) {
  return events.reduce((findings, event, offset) => withFound(findings, of, event, offset), nothingFound);
}

const context = {
  workerId: 'worker-9.1.aaaa',
  takeover: 'at-once',
  delivery: 2,
  recoveries: 0,
  forgotten: false,
  eventsEndAtSession: 0,
  sessionAgeMs: 0,
  looks: 2,
};

describe('the check of a delivered record', () => {
  it('never runs what the log has settled, whatever comes behind', () => {
    const settling = fc.constantFrom(
      handedOver({ attempt: 2 }),
      retryScheduled({ attempt: 2 }),
      succeeded({ attempt: 1 }),
      started({ attempt: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(anyEvent),
        settling,
        fc.array(anyEvent),
        fc.integer({ min: 1, max: 10 }),
        (before, event, after, delivery) => {
          const decision = decideDelivered(found([...before, event, ...after]), { ...context, delivery });
          expect(decision.action).to.equal('accept');
        },
      ),
    );
  });

  it('lets one of several copies run: all who look agree which', () => {
    const anyStart = fc.integer({ min: 5, max: 9 }).map((queueOffset) => started({ attempt: 2 }, { queueOffset }));
    fc.assert(
      fc.property(fc.array(anyStart, { minLength: 1 }), (starts) => {
        const offsets = [5, 6, 7, 8, 9];
        const running = offsets.filter((offset) => found(starts, { ...record, offset }).settled === undefined);
        expect(running).to.have.lengthOf(1);
      }),
    );
  });

  it('looks twice before it takes anything over', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), fc.boolean(), fc.integer({ min: 1, max: 10 }), (events, forgotten, delivery) => {
        const decision = decideDelivered(found(events), { ...context, forgotten, delivery, looks: 1 });
        expect(decision.action).to.be.oneOf(['accept', 'look-again']);
      }),
    );
  });
});

describe('suspicion', () => {
  it('is never missing where the broker counted, forgot, or the writer warned', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.integer({ min: 1, max: 10 }),
        fc.boolean(),
        fc.nat(100),
        (offset, delivery, check, highest) => {
          const suspicion = suspicionOf(
            { offset, leaderEpoch: 1, delivery, check },
            { leaderEpoch: 1, groupStart: 0, highest },
          );
          expect(suspicion === undefined).to.equal(delivery === 1 && !check && offset > highest);
        },
      ),
    );
  });
});

describe('retries', () => {
  it('wait no longer than their bound, and never more often than the task allows', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (failures, maxAttempts, random) => {
          const queued = queuedEvent({ failures });
          const decision = decideRetry({ ...queued, task: { ...queued.task, maxAttempts } }, error, { random });
          if (decision.kind === 'final') expect(failures + 1).to.be.at.least(maxAttempts);
          else {
            expect(failures + 1).to.be.below(maxAttempts);
            expect(decision.delayMs).to.be.within(0, backoffBoundMs(queued.task, failures + 1));
          }
        },
      ),
    );
  });
});

describe('a zombie', () => {
  it('never says that it failed, however often it is heard again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60_000), fc.nat(60_000)), { maxLength: 20 }), (beats) => {
        let now = 10_000;
        let lapsed = false;
        let hold = heartbeatAcknowledged(lockedHold(15_000), now, now);
        for (const [wait, underWay] of beats) {
          const sentAt = now + wait;
          now = sentAt + underWay;
          lapsed ||= now >= hold.leaseUntil!;
          hold = heartbeatAcknowledged(hold, sentAt, now);
          if (lapsed) expect(decideReport('failure', hold, now)).to.equal('withhold');
          expect(decideReport('success', hold, now)).to.equal('report');
        }
      }),
    );
  });
});

describe('fetchOrder', () => {
  it('begins with high in 16 of 21 rounds, with normal in 4, with low in 1, and always asks all', () => {
    const firsts = Array.from({ length: 21 }, (_, round) => fetchOrder(round + 1_000)[0]);
    expect(firsts.filter((first) => first === 'high')).to.have.lengthOf(16);
    expect(firsts.filter((first) => first === 'normal')).to.have.lengthOf(4);
    for (let round = 0; round < 21; round++)
      expect([...fetchOrder(round)].sort()).to.deep.equal(['high', 'low', 'normal']);
  });
});
