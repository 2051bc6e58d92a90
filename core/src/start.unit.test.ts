import { createCodec } from '@taskflow/schemas/codec';
import { expect } from 'chai';
import { decideStart } from './start.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

describe('decideStart', () => {
  it('tells which delivery of which record is about to run, and where', () => {
    const queued = queuedEvent({ generation: 1, attempt: 3 });
    const context = {
      now: 5,
      eventId: '01999999-0000-7000-8000-000000000009',
      workerId: 'worker-1.4711.k3x9',
      delivery: 2,
      starts: 2,
      leaseMs: 30_000,
      queuePartition: 0,
      queueOffset: 99,
    };
    const started = decideStart(queued, context);
    const { now, ...own } = context;
    const { taskId, userId, type, priority } = queued;
    expect(started).to.deep.include({
      ...own,
      occurredAt: now,
      taskId,
      userId,
      type,
      priority,
      generation: 1,
      attempt: 3,
    });
    const codec = createCodec(new Map([['TaskStarted', 1]]));
    expect(codec.decode(codec.encode(started))).to.deep.equal(started);
  });
});
