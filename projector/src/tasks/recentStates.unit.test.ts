import type { TaskState } from '@taskflow/schemas/fold';
import { expect } from 'chai';
import { RecentStates } from './recentStates.ts';

const state = (id: string, status = 'queued') => ({ id, status }) as TaskState;

describe('RecentStates', () => {
  it('remembers the newest state and the transaction that wrote it', () => {
    const recent = new RecentStates(10);
    recent.written(state('a'), 1);
    recent.written(state('a', 'running'), 2);
    expect(recent.get('a')).to.deep.equal({ state: state('a', 'running'), xid: 2 });
  });

  it('forgets tasks that have ended', () => {
    const recent = new RecentStates(10);
    recent.written(state('a'), 1);
    recent.written(state('a', 'success'), 2);
    expect(recent.get('a')).to.equal(undefined);
  });

  it('forgets those written longest ago, when there are too many', () => {
    const recent = new RecentStates(2);
    recent.written(state('a'), 1);
    recent.written(state('b'), 1);
    recent.written(state('a'), 2);
    recent.written(state('c'), 3);
    expect(['a', 'b', 'c'].map((id) => recent.get(id)?.xid)).to.deep.equal([2, undefined, 3]);
  });

  it('forgets all when what it knows may be wrong', () => {
    const recent = new RecentStates(2);
    recent.written(state('a'), 1);
    recent.clear();
    expect(recent.get('a')).to.equal(undefined);
  });
});
