import fc from 'fast-check';
import { type LookBackSubject, lookBackFrom } from '../../lookBack.ts';
import type { Suspicion } from '../../suspicion.ts';
import type { Decision } from './decision.ts';

interface Given {
  readonly record: LookBackSubject;
  readonly suspicion: Suspicion;
  readonly known: {
    readonly now: number;
    readonly unavailableAt: readonly number[];
    readonly lastEventOfOldLeader: number | null;
  };
}

/** Times in seconds, to be read easily. */
const at = (seconds: number): number => 1_760_000_000_000 + seconds * 1_000;
const none = { redelivered: false, forgotten: false, copy: false };

function given(
  suspicion: Partial<Suspicion>,
  record: Partial<LookBackSubject> = {},
  known: Partial<Given['known']> = {},
): Given {
  return {
    record: { appendedAt: at(0), occurredAt: at(0), delivery: 2, ...record },
    suspicion: { ...none, ...suspicion },
    known: { now: at(1_000), unavailableAt: [], lastEventOfOldLeader: null, ...known },
  };
}

const everySecond = Array.from({ length: 300 }, (_, n) => at(700 + n));

export const lookBack: Decision<Given> = {
  name: 'look-back',
  about:
    'From which append time on the events partition is to be read, in milliseconds, with the default values (lock 15 s, hand-over 10 s, copies 300 s, clocks of brokers 2 s apart). unavailableAt ascends.',
  cases: [
    {
      name: 'a second delivery, by a worker that has not asked before: from the record on',
      given: given({ redelivered: true }),
      expected: at(-2),
    },
    {
      name: 'a second delivery, by a worker that asked all the time: lock and hand-over',
      given: given({ redelivered: true }, {}, { unavailableAt: everySecond }),
      expected: at(999 - 25 - 2),
    },
    {
      name: 'a second delivery, by a worker that asked a minute ago and was busy since',
      given: given({ redelivered: true }, {}, { unavailableAt: [at(10), at(940)] }),
      expected: at(940 - 25 - 2),
    },
    {
      name: 'a third delivery, by a worker that asked all the time: lock and hand-over twice',
      given: given({ redelivered: true }, { delivery: 3 }, { unavailableAt: everySecond }),
      expected: at(999 - 25 - 25 - 2),
    },
    {
      name: 'a third delivery, by a worker that was busy before: between the first two nobody may have asked',
      given: given({ redelivered: true }, { delivery: 3 }, { unavailableAt: [at(10), at(940)] }),
      expected: at(-2),
    },
    {
      name: 'a third delivery, by a worker that had asked in between',
      given: given({ redelivered: true }, { delivery: 3 }, { unavailableAt: [at(700), at(940)] }),
      expected: at(700 - 25 - 2),
    },
    {
      name: 'never further than to the record',
      given: given({ redelivered: true }, { appendedAt: at(990) }, { unavailableAt: everySecond }),
      expected: at(988),
    },
    {
      name: 'forgotten: lock and hand-over before the last event of the old leader',
      given: given({ forgotten: true }, { delivery: 1 }, { lastEventOfOldLeader: at(400) }),
      expected: at(400 - 25 - 2),
    },
    {
      name: 'forgotten, and the last event of the old leader is not known: from the record on',
      given: given({ forgotten: true }, { delivery: 1 }),
      expected: at(-2),
    },
    {
      name: 'a copy: five minutes before the record',
      given: given({ copy: true }, { delivery: 1, appendedAt: at(900), occurredAt: at(900) }),
      expected: at(900 - 300 - 2),
    },
    {
      name: 'a copy that came an hour late: five minutes before its event was made',
      given: given({ copy: true }, { delivery: 1, appendedAt: at(4_500), occurredAt: at(900) }, { now: at(4_600) }),
      expected: at(900 - 300 - 2),
    },
    {
      name: 'of several reasons the earliest',
      given: given(
        { redelivered: true, forgotten: true, copy: true },
        { appendedAt: at(900), occurredAt: at(900) },
        { unavailableAt: everySecond, lastEventOfOldLeader: at(950) },
      ),
      expected: at(900 - 300 - 2),
    },
  ],
  more: fc.sample(
    fc.record({
      record: fc.record({
        appendedAt: fc.integer({ min: at(0), max: at(100) }),
        occurredAt: fc.integer({ min: at(-100), max: at(100) }),
        delivery: fc.integer({ min: 1, max: 5 }),
      }),
      suspicion: fc.constantFrom(
        { ...none, redelivered: true },
        { ...none, forgotten: true },
        { ...none, copy: true },
        { ...none, redelivered: true, copy: true },
        { ...none, redelivered: true, forgotten: true },
      ),
      known: fc.record({
        now: fc.constant(at(200)),
        unavailableAt: fc
          .uniqueArray(fc.integer({ min: at(0), max: at(220) }), { maxLength: 8 })
          .map((times) => times.sort((a, b) => a - b)),
        lastEventOfOldLeader: fc.option(fc.integer({ min: at(0), max: at(200) })),
      }),
    }),
    { numRuns: 40, seed: 9 },
  ),
  decide: ({ record, suspicion, known }) =>
    lookBackFrom(record, suspicion, { ...known, lastEventOfOldLeader: known.lastEventOfOldLeader ?? undefined }),
};
