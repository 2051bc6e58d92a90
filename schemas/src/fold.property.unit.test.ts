import { expect } from 'chai';
import fc from 'fast-check';
import {
  evolve,
  type GatheredEvents,
  gather,
  hasEnded,
  historyFromJson,
  historyToJson,
  merge,
  restoreState,
  stateOf,
  statusOf,
  timeline,
  versionOf,
} from './fold.ts';
import { anyInterleaving, anyLog, anyLogWithCopies, anyOrder, fold } from './testing/taskLogs.ts';

const runs = { numRuns: 400 };

describe('the fold, for any log', () => {
  it('gives the same state for every interleaving of the two families', () => {
    const logs = anyLog.chain((log) => fc.record({ log: fc.constant(log), other: anyInterleaving(log) }));
    fc.assert(
      fc.property(logs, ({ log, other }) => {
        expect(fold(other)).to.deep.equal(fold(log));
      }),
      runs,
    );
  });

  it('gives the same state for every order of the events', () => {
    const logs = anyLog.chain((log) => fc.record({ log: fc.constant(log), other: anyOrder(log) }));
    fc.assert(
      fc.property(logs, ({ log, other }) => {
        expect(fold(other)).to.deep.equal(fold(log));
      }),
      runs,
    );
  });

  it('gives the same state when events were appended again, in whatever order they come', () => {
    const logs = anyLogWithCopies.chain(({ log, withCopies }) =>
      fc.record({ log: fc.constant(log), withCopies: anyOrder(withCopies) }),
    );
    fc.assert(
      fc.property(logs, ({ log, withCopies }) => {
        expect(fold(withCopies)).to.deep.equal(fold(log));
      }),
      runs,
    );
  });

  it('gives the same state when the events are gathered first, in whatever order they come', () => {
    const logs = anyLogWithCopies.chain(({ withCopies }) =>
      fc.record({ log: fc.constant(withCopies), other: anyOrder(withCopies) }),
    );
    fc.assert(
      fc.property(logs, ({ log, other }) => {
        let gathered: GatheredEvents | undefined;
        for (const recorded of other) gathered = gather(gathered, recorded);
        expect(stateOf(gathered!)).to.deep.equal(fold(log));
      }),
      runs,
    );
  });

  it('returns the same object for an event that it has had', () => {
    const picks = anyLog.chain((log) => fc.record({ log: fc.constant(log), again: fc.constantFrom(...log) }));
    fc.assert(
      fc.property(picks, ({ log, again }) => {
        const state = fold(log);
        expect(evolve(state, again)).to.equal(state);
      }),
      runs,
    );
  });

  it('shows the greatest of the events, and of equal ends the first on the log', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const greatest = Math.max(...log.map(({ event }) => versionOf(event)));
        const first = log.find(({ event }) => versionOf(event) === greatest)!.event;
        expect(fold(log)).to.include({
          version: greatest,
          status: statusOf(first.event),
          generation: first.generation,
          attempt: first.attempt,
        });
      }),
      runs,
    );
  });

  it('counts one end of the shown generation if it has ended, and none otherwise', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const state = fold(log);
        const ends = timeline(state.history).filter(
          (entry) => entry.counted && entry.generation === state.generation && hasEnded(statusOf(entry.event)),
        );
        expect(ends.map((entry) => entry.eventId)).to.deep.equal(hasEnded(state.status) ? [state.decidedBy] : []);
      }),
      runs,
    );
  });

  it('counts a retry if, and only if, the timeline does', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const { history, generation, retryCount } = fold(log);
        const retries = timeline(history).filter(
          (entry) => entry.counted && entry.generation === generation && entry.event === 'TaskRetryScheduled',
        );
        expect(retryCount).to.equal(retries.length);
      }),
      runs,
    );
  });

  it('keeps of a run’s heartbeats the hand-overs and one more', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const plain = fold(log).history.filter((entry) => entry.event === 'TaskHeartbeat' && !entry.handOver);
        const theirRuns = plain.map((entry) => `${entry.generation}.${entry.attempt}.${entry.workerId}`);
        expect(new Set(theirRuns).size).to.equal(theirRuns.length);
      }),
      runs,
    );
  });

  it('has a submission if, and only if, a TaskQueued or TaskScheduled has come', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const submitted = log.some(({ event }) => event.event === 'TaskQueued' || event.event === 'TaskScheduled');
        expect(fold(log).submission !== null).to.equal(submitted);
      }),
      runs,
    );
  });

  it('has a result if, and only if, it shows a success', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const state = fold(log);
        expect(state.result !== null).to.equal(state.status === 'success');
      }),
      runs,
    );
  });

  it('comes back from its parts as a row keeps them, and from JSON', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const state = fold(log);
        expect(restoreState({ ...state, history: historyFromJson(historyToJson(state.history)) })).to.deep.equal(state);
        expect(JSON.parse(JSON.stringify(state))).to.deep.equal(state);
      }),
      runs,
    );
  });
});

describe('merge, for any logs', () => {
  /** Three parts of one log, which may share events. */
  const threeParts = anyLogWithCopies.chain(({ withCopies }) =>
    fc.record({
      log: fc.constant(withCopies),
      parts: fc.tuple(part(withCopies), part(withCopies), part(withCopies)),
    }),
  );

  function part<T>(log: readonly T[]): fc.Arbitrary<T[]> {
    return fc.shuffledSubarray([...log], { minLength: 1 });
  }

  it('is associative', () => {
    fc.assert(
      fc.property(threeParts, ({ parts }) => {
        const [a, b, c] = parts.map(fold) as [
          ReturnType<typeof fold>,
          ReturnType<typeof fold>,
          ReturnType<typeof fold>,
        ];
        expect(merge(merge(a, b), c)).to.deep.equal(merge(a, merge(b, c)));
      }),
      runs,
    );
  });

  it('is commutative', () => {
    fc.assert(
      fc.property(threeParts, ({ parts }) => {
        const [a, b] = parts.map(fold) as [ReturnType<typeof fold>, ReturnType<typeof fold>];
        expect(merge(a, b)).to.deep.equal(merge(b, a));
      }),
      runs,
    );
  });

  it('is idempotent, and returns the same object where the other adds nothing', () => {
    fc.assert(
      fc.property(threeParts, ({ parts }) => {
        const [a, b] = parts.map(fold) as [ReturnType<typeof fold>, ReturnType<typeof fold>];
        const both = merge(a, b);
        expect(merge(a, a)).to.equal(a);
        expect(merge(both, a)).to.equal(both);
        expect(merge(both, b)).to.equal(both);
      }),
      runs,
    );
  });

  it('gives the state of the union of the events', () => {
    fc.assert(
      fc.property(threeParts, ({ parts: [one, other] }) => {
        expect(merge(fold(one), fold(other))).to.deep.equal(fold([...one, ...other]));
      }),
      runs,
    );
  });

  it('with the state of one event is evolve', () => {
    fc.assert(
      fc.property(threeParts, ({ parts: [log, [record]] }) => {
        expect(evolve(fold(log), record!)).to.deep.equal(merge(fold(log), evolve(undefined, record!)));
      }),
      runs,
    );
  });

  it('goes on alike with a state that was stored', () => {
    fc.assert(
      fc.property(threeParts, ({ parts: [one, other] }) => {
        const a = fold(one);
        const stored = restoreState({ ...a, history: historyFromJson(historyToJson(a.history)) });
        expect(merge(stored, fold(other))).to.deep.equal(merge(a, fold(other)));
      }),
      runs,
    );
  });
});
