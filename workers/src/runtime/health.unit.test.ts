import { expect } from 'chai';
import { deferred, type TestWorker } from '../testing/testWorker.ts';
import { named, task, turn, workerUnderTest } from '../testing/workerUnderTest.ts';

/** As when the broker has closed connections that were idle. */
function endSessions({ queues }: TestWorker): void {
  for (const queue of Object.values(queues)) {
    queue.health = () => ({ assignedPartitions: 1, openSessions: 0, sinceFetchMs: 600_000, lastError: undefined });
  }
}

describe('a worker without a session', () => {
  const { start } = workerUnderTest();
  const statusOf = async ({ readiness }: TestWorker) => (await readiness.report()).status;

  it('is not ready where it asks for tasks', async () => {
    const worker = start(() => null);
    endSessions(worker);
    expect(await statusOf(worker)).to.equal('not-ready');
    expect(JSON.stringify((await worker.readiness.report()).checks)).to.contain(
      'sample.high has no session with its broker',
    );
  });

  it('is ready while all its slots are busy', async () => {
    const gate = deferred();
    const worker = start(() => gate.promise, { slots: 1 });
    worker.queues.normal.put(task(1));
    await worker.log.until(named('TaskStarted'));
    endSessions(worker);
    expect(await statusOf(worker)).to.equal('ready');
    gate.resolve();
    await worker.log.until(named('TaskSucceeded'));
    await turn();
    expect(await statusOf(worker)).to.equal('not-ready');
  });

  it('is ready while its type is paused', async () => {
    const worker = start(() => null);
    worker.control.state.paused.add('sample');
    endSessions(worker);
    expect(await statusOf(worker)).to.equal('ready');
  });
});
