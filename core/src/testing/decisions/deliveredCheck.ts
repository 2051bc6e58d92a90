import fc from 'fast-check';
import { type CheckContext, decideClaim, decideDelivered } from '../../deliveredCheck.ts';
import type { Findings } from '../../findings.ts';
import type { Decision } from './decision.ts';

interface FoundJson {
  readonly settled: Findings['settled'] | null;
  readonly lastStart: NonNullable<Findings['lastStart']> | null;
}

interface Given {
  readonly findings: FoundJson;
  readonly context: CheckContext;
}

const nothing: FoundJson = { settled: null, lastStart: null };
const by = (starts: number, workerId = 'worker-2.4712.p8q1', offset = 200): FoundJson => ({
  settled: null,
  lastStart: { workerId, starts, offset },
});

function given(findings: FoundJson, context: Partial<CheckContext> = {}): Given {
  return {
    findings,
    context: {
      workerId: 'worker-1.4711.k3x9',
      takeover: 'at-once',
      delivery: 2,
      recoveries: 0,
      forgotten: false,
      eventsEndAtSession: 300,
      sessionAgeMs: 5_000,
      looks: 2,
      ...context,
    },
  };
}

function findingsOf({ settled, lastStart }: FoundJson): Findings {
  return { settled: settled ?? undefined, owner: undefined, lastStart: lastStart ?? undefined };
}

const handOver = { action: 'hand-over', starter: 'worker-2.4712.p8q1' };
const run = (starts: number, alone = false) => ({ action: 'run', starts, alone });

export const deliveredCheck: Decision<Given> = {
  name: 'delivered-check',
  about:
    'What becomes of a record that may have run before, from what its events partition says (findings.json). looks: how often it was read for this delivery.',
  cases: [
    {
      name: 'settled: accepted, without another look',
      given: given({ settled: 'ended', lastStart: null }, { looks: 1 }),
      expected: { action: 'accept', because: 'ended' },
    },
    {
      name: 'settled, at the limit of deliveries',
      given: given({ settled: 'handed-over', lastStart: null }, { delivery: 9 }),
      expected: { action: 'accept', because: 'handed-over' },
    },
    {
      name: 'started: a moment to hand over',
      given: given(by(1), { looks: 1 }),
      expected: { action: 'look-again', afterMs: 500 },
    },
    {
      name: 'started: the moment counts from when the record came',
      given: given(by(1), { looks: 1, heldMs: 200 }),
      expected: { action: 'look-again', afterMs: 300 },
    },
    {
      name: 'started: the moment is nearly over',
      given: given(by(1), { looks: 1, heldMs: 499 }),
      expected: { action: 'look-again', afterMs: 1 },
    },
    {
      name: 'forgotten: the moment counts from when the record came',
      given: given(nothing, { looks: 1, delivery: 1, forgotten: true, heldMs: 700 }),
      expected: { action: 'look-again', afterMs: 1_300 },
    },
    {
      name: 'after a new leader: the moment counts from the session with it',
      given: given(nothing, { looks: 1, delivery: 1, forgotten: true, leaderIsNew: true, sessionAgeMs: 500 }),
      expected: { action: 'look-again', afterMs: 1_500 },
    },
    {
      name: 'after a new leader: the moment has passed',
      given: given(nothing, { looks: 1, delivery: 1, forgotten: true, leaderIsNew: true, sessionAgeMs: 2_000 }),
      expected: run(1),
    },
    {
      name: 'after a new leader, started: the moment has passed, its worker is presumed alive',
      given: given(by(1), { looks: 1, delivery: 1, forgotten: true, leaderIsNew: true, sessionAgeMs: 2_000 }),
      expected: handOver,
    },
    {
      name: 'after a new leader, delivered again by it: its own moment is left',
      given: given(nothing, { looks: 1, delivery: 2, forgotten: true, leaderIsNew: true, sessionAgeMs: 5_000 }),
      expected: { action: 'look-again', afterMs: 500 },
    },
    {
      name: 'after a new leader, perhaps a copy: its own moment is left',
      given: given(nothing, {
        looks: 1,
        delivery: 1,
        forgotten: true,
        leaderIsNew: true,
        copy: true,
        sessionAgeMs: 1_900,
      }),
      expected: { action: 'look-again', afterMs: 500 },
    },
    {
      name: 'forgotten without a new leader: the whole moment, however old the session',
      given: given(nothing, { looks: 1, delivery: 1, forgotten: true, sessionAgeMs: 60_000 }),
      expected: { action: 'look-again', afterMs: 2_000 },
    },
    {
      name: 'not started: the same',
      given: given(nothing, { looks: 1 }),
      expected: { action: 'look-again', afterMs: 500 },
    },
    {
      name: 'forgotten by the broker: a longer moment',
      given: given(by(1), { looks: 1, forgotten: true, delivery: 1 }),
      expected: { action: 'look-again', afterMs: 2_000 },
    },
    { name: 'never started', given: given(nothing), expected: run(1) },
    { name: 'started, and its worker is gone', given: given(by(1)), expected: run(2) },
    { name: 'the third start runs alone', given: given(by(2)), expected: run(3, true) },
    {
      name: 'recoveries count as starts do: what kills processes once it is handed over has no second start',
      given: given(nothing, { delivery: 1, recoveries: 2 }),
      expected: run(1, true),
    },
    { name: 'one recovery and one start are not enough', given: given(nothing, { recoveries: 1 }), expected: run(1) },
    { name: 'the fifth start', given: given(by(4)), expected: run(5, true) },
    { name: 'no sixth start', given: given(by(5)), expected: { action: 'fail' } },
    {
      name: 'no sixth start, at the limit of deliveries',
      given: given(by(5), { delivery: 8 }),
      expected: { action: 'fail' },
    },
    { name: 'the seventh delivery', given: given(nothing, { delivery: 7 }), expected: run(1) },
    { name: 'the eighth delivery', given: given(nothing, { delivery: 8 }), expected: { action: 'give-back' } },
    {
      name: 'the eighth delivery of a started one',
      given: given(by(1), { delivery: 8 }),
      expected: { action: 'give-back' },
    },
    {
      name: 'effects that bear no second run wait for the lease',
      given: given(by(1), { takeover: 'after-lease' }),
      expected: handOver,
    },
    {
      name: 'effects that bear no second run, not started',
      given: given(nothing, { takeover: 'after-lease' }),
      expected: run(1),
    },
    {
      name: 'effects that bear no second run, at the limit of deliveries',
      given: given(by(1), { takeover: 'after-lease', delivery: 8 }),
      expected: handOver,
    },
    {
      name: 'forgotten by the broker: its worker is presumed alive',
      given: given(by(1), { forgotten: true, delivery: 1 }),
      expected: handOver,
    },
    {
      name: 'forgotten by the broker, not started',
      given: given(nothing, { forgotten: true, delivery: 1 }),
      expected: run(1),
    },
    {
      name: 'forgotten by the broker, started by this very process, which does not run it any more',
      given: given(by(1, 'worker-1.4711.k3x9'), { forgotten: true, delivery: 1 }),
      expected: run(2),
    },
    {
      name: 'forgotten by the broker, but started under the present leader: its lock has ended',
      given: given(by(1, 'worker-2.4712.p8q1', 300), { forgotten: true }),
      expected: run(2),
    },
    {
      name: 'forgotten by the broker, but whoever lives has had a lease to find it again',
      given: given(by(1), { forgotten: true, sessionAgeMs: 30_000 }),
      expected: run(2),
    },
  ],
  more: fc.sample(
    fc.record({
      findings: fc.record({
        settled: fc.constantFrom(null, null, null, 'ended' as const, 'copy' as const),
        lastStart: fc.option(
          fc.record({
            workerId: fc.constantFrom('worker-1.4711.k3x9', 'worker-2.4712.p8q1'),
            starts: fc.integer({ min: 1, max: 6 }),
            offset: fc.integer({ min: 290, max: 310 }),
          }),
        ),
      }),
      context: fc.record({
        workerId: fc.constant('worker-1.4711.k3x9'),
        takeover: fc.constantFrom('at-once', 'after-lease'),
        delivery: fc.integer({ min: 1, max: 10 }),
        recoveries: fc.integer({ min: 0, max: 5 }),
        forgotten: fc.boolean(),
        eventsEndAtSession: fc.constant(300),
        sessionAgeMs: fc.constantFrom(0, 29_999, 30_000, 100_000),
        looks: fc.integer({ min: 1, max: 3 }),
      }),
    }),
    { numRuns: 80, seed: 9 },
  ),
  decide: ({ findings, context }) => decideDelivered(findingsOf(findings), context),
};

export const claim: Decision<{ readonly findings: FoundJson; readonly lockHolds: boolean }> = {
  name: 'claim',
  about:
    'Asked once the TaskStarted of a checked record is acknowledged, with the log read up to that start. findings: without this worker’s own events.',
  cases: [
    { name: 'nothing came between', given: { findings: nothing, lockHolds: true }, expected: { action: 'run' } },
    { name: 'an older start is no obstacle', given: { findings: by(1), lockHolds: true }, expected: { action: 'run' } },
    {
      name: 'its worker handed over in time',
      given: { findings: { settled: 'handed-over', lastStart: null }, lockHolds: true },
      expected: { action: 'accept', because: 'handed-over' },
    },
    {
      name: 'settled, though the lock has passed: the accept is tried',
      given: { findings: { settled: 'ended', lastStart: null }, lockHolds: false },
      expected: { action: 'accept', because: 'ended' },
    },
    {
      name: 'the lock has passed: someone else may have it',
      given: { findings: by(1), lockHolds: false },
      expected: { action: 'drop' },
    },
  ],
  decide: ({ findings, lockHolds }) => decideClaim(findingsOf(findings), lockHolds),
};
