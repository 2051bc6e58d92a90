import { expect } from 'chai';
import { stillToSend } from './outboxRecovery.ts';
import { failed } from './testing/events.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

const second = { id: 1, event: queuedEvent({ attempt: 2, cause: 'retry' }) };
const end = { id: 2, event: failed({ attempt: 3 }) };

describe('stillToSend', () => {
  it('leaves out what is on the log, under whatever event id', () => {
    const copy = { ...second.event, eventId: '01999999-0000-7000-8000-0000000000c0' };
    expect(stillToSend([second, end], [copy]).map(({ id }) => id)).to.deep.equal([2]);
  });

  it('sends the rest, a TaskQueued with check: it may come there yet', () => {
    const others = [queuedEvent({ attempt: 1 }), queuedEvent({ attempt: 2, generation: 1 })];
    const [queued, failure] = stillToSend([second, end], others);
    expect(queued).to.deep.equal({ id: 1, event: { ...second.event, check: true } });
    expect(failure).to.deep.equal(end);
  });
});
