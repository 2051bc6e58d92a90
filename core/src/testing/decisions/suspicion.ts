import fc from 'fast-check';
import { type DeliveredFacts, type PartitionKnowledge, suspicionOf } from '../../suspicion.ts';
import type { Decision } from './decision.ts';

interface Given {
  readonly record: DeliveredFacts;
  readonly known: Omit<PartitionKnowledge, 'groupStart'> & { readonly groupStart: number | null };
  readonly maxRecordLocks: number;
}

function given(record: Partial<DeliveredFacts>, known: Partial<Given['known']> = {}): Given {
  return {
    record: { offset: 1_000, leaderEpoch: 4, delivery: 1, check: false, ...record },
    known: { leaderEpoch: 4, groupStart: 900, highest: 999, ...known },
    maxRecordLocks: 10_000,
  };
}

const none = { redelivered: false, forgotten: false, copy: false };

export const suspicion: Decision<Given> = {
  name: 'suspicion',
  about:
    'Whether a delivered record must be checked against its events partition before its handler starts. then: null (a first delivery for certain), or why.',
  cases: [
    { name: 'a first delivery under the leader that appended it', given: given({}), expected: null },
    { name: 'a second delivery', given: given({ delivery: 2 }), expected: { ...none, redelivered: true } },
    { name: 'check is set', given: given({ check: true }), expected: { ...none, copy: true } },
    {
      name: 'a first delivery below an offset already had: counts were forgotten',
      given: given({ offset: 998 }),
      expected: { ...none, forgotten: true },
    },
    {
      name: 'the very offset that was had, as a first delivery',
      given: given({ offset: 999 }),
      expected: { ...none, forgotten: true },
    },
    {
      name: 'a second delivery below an offset already had is no sign that counts were forgotten',
      given: given({ offset: 998, delivery: 2 }),
      expected: { ...none, redelivered: true },
    },
    { name: 'of an older leader', given: given({ leaderEpoch: 2 }), expected: { ...none, forgotten: true } },
    {
      name: 'of an older leader, last of two windows from the group’s start',
      given: given({ leaderEpoch: 2, offset: 20_899 }),
      expected: { ...none, forgotten: true },
    },
    {
      name: 'of an older leader, behind two windows: it was not handed out then',
      given: given({ leaderEpoch: 2, offset: 20_900 }),
      expected: null,
    },
    {
      name: 'of an older leader, and nobody knows the group’s start',
      given: given({ leaderEpoch: 2, offset: 9_000_000 }, { groupStart: null }),
      expected: { ...none, forgotten: true },
    },
    {
      name: 'everything at once',
      given: given({ leaderEpoch: 2, delivery: 3, check: true }),
      expected: { redelivered: true, forgotten: true, copy: true },
    },
    {
      name: 'the first record that this worker has of the partition',
      given: given({ offset: 0 }, { highest: -1, groupStart: 0 }),
      expected: null,
    },
  ],
  more: fc.sample(
    fc.record({
      record: fc.record({
        offset: fc.nat(120),
        leaderEpoch: fc.integer({ min: 1, max: 3 }),
        delivery: fc.integer({ min: 1, max: 3 }),
        check: fc.boolean(),
      }),
      known: fc.record({
        leaderEpoch: fc.integer({ min: 2, max: 3 }),
        groupStart: fc.option(fc.nat(60)),
        highest: fc.integer({ min: -1, max: 120 }),
      }),
      maxRecordLocks: fc.constantFrom(10, 20, 40),
    }),
    { numRuns: 40, seed: 9 },
  ),
  decide: ({ record, known, maxRecordLocks }) =>
    suspicionOf(record, { ...known, groupStart: known.groupStart ?? undefined }, { maxRecordLocks }),
};
