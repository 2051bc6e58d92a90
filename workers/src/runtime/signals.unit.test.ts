import type { TaskEvent, TaskflowRecord } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { testCodec } from '../testing/fakeLog.ts';
import { deferred } from '../testing/testWorker.ts';
import { eventsOf, named, task, taskId, turn, until, workerUnderTest } from '../testing/workerUnderTest.ts';

describe('signals', () => {
  const { start } = workerUnderTest();
  const signal = (name: 'TypePaused' | 'TypeResumed') => ({
    key: Buffer.from('sample'),
    value: testCodec.encode({
      event: name,
      type: 'sample',
      eventId: taskId(9),
      occurredAt: 1,
      ...(name === 'TypePaused' ? { reason: null, actor: null } : { actor: null }),
    } as TaskflowRecord),
  });
  const cancel = (n: number, generation = 0) => ({
    key: Buffer.from(taskId(n)),
    value: testCodec.encode({
      event: 'TaskCancelRequested',
      taskId: taskId(n),
      generation,
      eventId: taskId(9),
      type: 'sample',
      priority: 'normal',
      occurredAt: 1,
    }),
  });

  it('drop what is cancelled, up to its generation', async () => {
    const { queues, log, control } = start(() => null);
    await control.take([cancel(1, 1), cancel(4), { key: Buffer.from(taskId(4)), value: null }]);
    queues.normal.put(task(1), task(1, { generation: 1 }), task(1, { generation: 2 }), task(4));
    await until(() => queues.normal.accepted.length === 4);
    expect(log.events.filter(({ event }) => event === 'TaskSucceeded')).to.have.length(2);
    expect(eventsOf(log, 1).map((event) => (event as TaskEvent).generation)).to.deep.equal([2, 2]);
  });

  it('abort what is cancelled while it runs, say nothing of its outcome, and free its slot', async () => {
    const aborted = deferred<unknown>();
    const { queues, log, control } = start(
      ({ payload, signal: abort }) =>
        payload.n === 1
          ? new Promise((_, reject) =>
              abort.addEventListener('abort', () => {
                aborted.resolve(abort.reason);
                reject(abort.reason);
              }),
            )
          : null,
      { slots: 1 },
    );
    queues.normal.put(task(1), task(2));
    await log.until(named('TaskStarted'));
    await control.take([cancel(1)]);
    expect(await aborted.promise).to.include({ code: 'CANCELLED' });
    await log.until(named('TaskSucceeded'));
    await turn();
    expect(eventsOf(log, 1).map(({ event }) => event)).to.deep.equal(['TaskStarted']);
    expect(queues.normal.accepted).to.deep.equal([0, 1]);
  });

  it('keep a paused type from being fetched until it is resumed', async () => {
    const { queues, log, control, queueSet } = start(() => null);
    await control.take([signal('TypePaused')]);
    await until(() => queueSet.asked.length === 1); // the fetch that waited has ended
    queues.normal.put(task(1));
    for (let i = 0; i < 20; i++) await turn();
    expect(log.events).to.deep.equal([]);
    await control.take([signal('TypeResumed')]);
    await log.until(named('TaskSucceeded'));
  });

  it('survive a record that is none, and a pause that is taken back at once', async () => {
    const { queues, log, control } = start(() => null);
    await control.take([
      { key: Buffer.from('sample'), value: Buffer.from('garbage') },
      { key: Buffer.from(taskId(1)), value: testCodec.encode(task(1)) },
      { key: null, value: null },
    ]);
    await Promise.all([control.take([signal('TypePaused')]), control.take([signal('TypeResumed')])]);
    queues.normal.put(task(1));
    await log.until(named('TaskSucceeded'));
  });
});
