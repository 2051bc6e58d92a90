import { expect } from 'chai';
import { deferred } from '../testing/testWorker.ts';
import { workerUnderTest } from '../testing/workerUnderTest.ts';

describe('a worker that is stuck', () => {
  const { start } = workerUnderTest();

  it('gives up where no queue answers and nothing is in hand', async () => {
    const stuck = deferred<Error>();
    const { queues } = start(() => null, { stuckExitMs: 40, onStuck: stuck.resolve });
    for (const queue of Object.values(queues)) {
      queue.health = () => ({ assignedPartitions: 1, openSessions: 1, sinceFetchMs: 10_000, lastError: undefined });
    }
    expect((await stuck.promise).message).to.contain('No queue has answered');
  });
});
