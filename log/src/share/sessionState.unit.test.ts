import { expect } from 'chai';
import { byTopic, partitionId, SessionState } from './sessionState.ts';

const topic = Buffer.alloc(16, 1);
const other = Buffer.alloc(16, 2);

describe('share session state', () => {
  it('opens with epoch 0 and all partitions, then says only what changes', () => {
    const state = new SessionState();
    const [a, b, c] = [partitionId(topic, 0), partitionId(topic, 1), partitionId(other, 0)];
    const opening = state.changes([a, b]);
    expect([state.epoch, state.isOpen]).to.deep.equal([0, false]);
    expect(opening).to.deep.equal({ added: [a, b], forgotten: [] });
    state.succeeded(opening);
    expect([state.epoch, state.isOpen]).to.deep.equal([1, true]);
    const change = state.changes([partitionId(topic, 1), c]);
    expect(change).to.deep.equal({ added: [c], forgotten: [a] });
    state.succeeded(change);
    expect(state.changes([b, c])).to.deep.equal({ added: [], forgotten: [] });
    expect(state.epoch).to.equal(2);
  });

  it('counts requests that change nothing, too', () => {
    const state = new SessionState();
    state.succeeded(state.changes([partitionId(topic, 0)]));
    state.succeeded();
    expect(state.epoch).to.equal(2);
  });

  it('begins anew after a reset', () => {
    const state = new SessionState();
    const a = partitionId(topic, 0);
    state.succeeded(state.changes([a]));
    state.reset();
    expect([state.epoch, state.isOpen]).to.deep.equal([0, false]);
    expect(state.changes([a])).to.deep.equal({ added: [a], forgotten: [] });
  });

  it('asks anew for a partition that the broker did not serve, or forgets it', () => {
    const state = new SessionState();
    const [a, b] = [partitionId(topic, 0), partitionId(topic, 1)];
    state.succeeded(state.changes([a, b]));
    state.lost(a);
    expect(state.changes([b])).to.deep.equal({ added: [], forgotten: [a] });
    const change = state.changes([a, b]);
    expect(change).to.deep.equal({ added: [a], forgotten: [] });
    state.succeeded(change);
    expect(state.changes([a, b])).to.deep.equal({ added: [], forgotten: [] });
  });

  it('groups by topic', () => {
    const entries = [
      [partitionId(topic, 0), 'a'],
      [partitionId(other, 0), 'b'],
      [partitionId(topic, 2), 'c'],
    ] as const;
    expect(byTopic(entries)).to.deep.equal([
      {
        topicId: topic,
        partitions: [
          [0, 'a'],
          [2, 'c'],
        ],
      },
      { topicId: other, partitions: [[0, 'b']] },
    ]);
  });
});
