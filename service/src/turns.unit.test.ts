import { expect } from 'chai';
import { Turns } from './turns.ts';

/** Turns with so much room, and in which order those who waited were let in. */
function turnsWith(room: number) {
  const state = { room };
  const order: string[] = [];
  const turns = new Turns(({ urgent }) => state.room > (urgent ? -10 : 0));
  const wait = (name: string, appendedAt: number, urgent = false) =>
    void turns.wait({ appendedAt, urgent }).then(() => order.push(name));
  /** Lets in one after the other, each of whom takes one place. */
  const letIn = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const before = order.length;
      turns.letNextIn();
      await Promise.resolve();
      state.room -= order.length - before;
    }
  };
  return { state, order, turns, wait, letIn };
}

describe('the turns of those who deliver', () => {
  it('are free while there is room and nobody older waits', () => {
    const { turns, wait, state } = turnsWith(1);
    expect(turns.isFree({ appendedAt: 5, urgent: false })).to.equal(true);
    wait('older', 4);
    expect(turns.isFree({ appendedAt: 5, urgent: false })).to.equal(false);
    expect(turns.isFree({ appendedAt: 3, urgent: false })).to.equal(true);
    state.room = 0;
    expect(turns.isFree({ appendedAt: 3, urgent: false })).to.equal(false);
  });

  it('go to the oldest first', async () => {
    const { wait, letIn, order } = turnsWith(3);
    wait('third', 30);
    wait('first', 10);
    wait('second', 20);
    await letIn(3);
    expect(order).to.deep.equal(['first', 'second', 'third']);
  });

  it('are given only while there is room', async () => {
    const { wait, letIn, order, state } = turnsWith(1);
    wait('a', 1);
    wait('b', 2);
    await letIn(3);
    expect(order).to.deep.equal(['a']);
    state.room = 1;
    await letIn(1);
    expect(order).to.deep.equal(['a', 'b']);
  });

  it('pass over those for whom there is none, and do not wait for them', async () => {
    const { wait, letIn, order, turns } = turnsWith(0);
    wait('old', 1);
    expect(turns.isFree({ appendedAt: 2, urgent: true })).to.equal(true);
    wait('urgent', 2, true);
    await letIn(2);
    expect(order).to.deep.equal(['urgent']);
  });

  it('go to whoever has waited for four batches, however old the others are', async () => {
    const { wait, letIn, order, turns, state } = turnsWith(0);
    wait('new', 1_000);
    for (let batch = 0; batch < 4; batch++) turns.batchClosed();
    wait('old', 1);
    state.room = 2;
    expect(turns.isFree({ appendedAt: 0, urgent: false })).to.equal(false);
    await letIn(2);
    expect(order).to.deep.equal(['new', 'old']);
  });

  it('let in everybody when they are released', async () => {
    const { wait, order, turns } = turnsWith(0);
    wait('a', 2);
    wait('b', 1);
    turns.release();
    await Promise.resolve();
    expect(order).to.deep.equal(['a', 'b']);
  });
});
