import type { TaskState } from '@taskflow/schemas/fold';
import { expect } from 'chai';
import fc from 'fast-check';
import { type CountTable, countChanges, deadLetters, shownOf, taskCounts } from './counts.ts';

const user = '00000000-0000-4000-8000-000000000001';
const state = (status: string, submitted = true, type = 'noop', userId = user) =>
  ({ userId, type, status, submission: submitted ? {} : null, error: null }) as unknown as TaskState;
interface StateChange {
  readonly before: TaskState | undefined;
  readonly after: TaskState;
}
const countsOf = (table: CountTable, changes: readonly StateChange[]) =>
  countChanges(
    table,
    changes.map(({ before, after }) => ({
      task: after,
      before: before && shownOf(before),
      after: shownOf(after),
      count: 1,
    })),
  );
const shown = (changes: StateChange[]) =>
  countsOf(taskCounts, changes).map(({ type, group, by }) => `${type} ${group} ${by > 0 ? '+' : ''}${by}`);

describe('countChanges', () => {
  it('counts new tasks, and moves those that change', () => {
    expect(
      shown([
        { before: undefined, after: state('success') },
        { before: undefined, after: state('queued') },
        { before: state('queued'), after: state('success') },
      ]),
    ).to.deep.equal(['noop success +2']);
  });

  it('leaves a task out until its submission has come', () => {
    expect(shown([{ before: undefined, after: state('running', false) }])).to.deep.equal([]);
    expect(shown([{ before: state('running', false), after: state('running') }])).to.deep.equal(['noop running +1']);
    expect(shown([{ before: state('running', false), after: state('success') }])).to.deep.equal(['noop success +1']);
  });

  it('changes nothing where no status changes', () => {
    expect(shown([{ before: state('running'), after: state('running') }])).to.deep.equal([]);
  });

  it('counts tasks that changed alike at once', () => {
    const queued = { status: 'queued', errorCode: null };
    const failed = { status: 'failed', errorCode: 'TIMEOUT' };
    const changes = [{ task: { userId: user, type: 'noop' }, before: queued, after: failed, count: 7 }];
    const of = (table: CountTable) => countChanges(table, changes).map(({ group, by }) => [group, by]);
    expect(of(taskCounts)).to.deep.equal([
      ['failed', 7],
      ['queued', -7],
    ]);
    expect(of(deadLetters)).to.deep.equal([['TIMEOUT', 7]]);
  });

  it('comes in one order, whatever the order of the tasks', () => {
    const changes = [
      { before: undefined, after: state('queued', true, 'b') },
      { before: state('queued', true, 'a'), after: state('failed', true, 'a') },
      { before: undefined, after: state('queued', true, 'b', '00000000-0000-4000-8000-000000000000') },
    ];
    expect(countsOf(taskCounts, changes)).to.deep.equal(countsOf(taskCounts, changes.toReversed()));
    expect(countsOf(taskCounts, changes).map(({ userId, type, group }) => [userId.at(-1), type, group])).to.deep.equal([
      ['0', 'b', 'queued'],
      ['1', 'a', 'failed'],
      ['1', 'a', 'queued'],
      ['1', 'b', 'queued'],
    ]);
  });

  it('adds up to the difference of what is shown, for any changes', () => {
    const any = fc.record({ status: fc.constantFrom('queued', 'running', 'success'), submitted: fc.boolean() });
    fc.assert(
      fc.property(fc.array(fc.record({ before: fc.option(any), after: any })), (pairs) => {
        const changes = pairs.map(({ before, after }) => ({
          before: before === null ? undefined : state(before.status, before.submitted),
          after: state(after.status, after.submitted),
        }));
        const total = countsOf(taskCounts, changes).reduce((sum, { by }) => sum + by, 0);
        const visible = (states: (TaskState | undefined)[]) => states.filter((each) => each?.submission).length;
        expect(total).to.equal(
          visible(changes.map(({ after }) => after)) - visible(changes.map(({ before }) => before)),
        );
      }),
    );
  });
});

describe('dead letters', () => {
  const failed = (code: string) => ({ ...state('failed'), error: { code } }) as unknown as TaskState;
  const retrying = (code: string) => ({ ...state('retrying'), error: { code } }) as unknown as TaskState;
  const counted = (changes: StateChange[]) =>
    countsOf(deadLetters, changes).map(({ group, by }) => `${group} ${by > 0 ? '+' : ''}${by}`);

  it('are what has failed, by code', () => {
    expect(
      counted([
        { before: state('running'), after: failed('TIMEOUT') },
        { before: undefined, after: failed('TIMEOUT') },
        { before: retrying('HTTP_STATUS'), after: failed('HTTP_STATUS') },
        { before: state('running'), after: retrying('TIMEOUT') },
        { before: state('running'), after: state('success') },
      ]),
    ).to.deep.equal(['HTTP_STATUS +1', 'TIMEOUT +2']);
  });

  it('are none any more once they are run again', () => {
    expect(counted([{ before: failed('TIMEOUT'), after: state('queued') }])).to.deep.equal(['TIMEOUT -1']);
    expect(counted([{ before: failed('TIMEOUT'), after: failed('BROKEN') }])).to.deep.equal([
      'BROKEN +1',
      'TIMEOUT -1',
    ]);
    expect(counted([{ before: failed('TIMEOUT'), after: failed('TIMEOUT') }])).to.deep.equal([]);
  });
});
