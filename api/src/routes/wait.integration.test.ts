import { expect } from 'chai';
import { queued, started, succeeded } from '../testing/events.ts';
import { queueRecords } from '../testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';
import { ViewWriter } from '../testing/viewWriter.ts';

describe('Prefer: wait', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  const submit = (tag: string, wait: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    api.call('/tasks', {
      body: { type: api.types.any, payload: {}, tags: [tag] },
      headers: { prefer: `wait=${wait}`, ...headers },
      ...(signal === undefined ? undefined : { signal }),
    });

  /** The submission with a tag, once it is on the log. */
  const onTheLog = async (tag: string) => {
    for (;;) {
      const records = await queueRecords(api.cluster, `taskflow.queue.${api.types.any}.normal`);
      const found = records.find(({ event }) => event.task.tags.includes(tag));
      if (found !== undefined) return found.event;
    }
  };

  for (const [how, redis] of [
    ['told by Redis', true],
    ['by looking, without Redis', false],
  ] as const) {
    it(`answers when the task has ended, ${how}`, async () => {
      const view = new ViewWriter(api.pool, redis ? api.redis.client : undefined);
      const tag = `ends-${redis}`;
      const answer = submit(tag, '60');
      const task = await onTheLog(tag);
      await view.show([task, started(task)]);
      await view.show([succeeded(task, { value: '1' })]);
      const { status, headers, json } = await answer;
      expect(status).to.equal(201);
      expect(headers.get('preference-applied')).to.equal('wait=60');
      expect(json).to.include({ id: task.taskId, status: 'success' });
      expect((await api.call(`/tasks/${json.id}`)).json.status).to.equal('success');
    });
  }

  it('answers with the task as it is when the time is over', async () => {
    const view = new ViewWriter(api.pool, api.redis.client);
    const answer = submit('runs', '1');
    const task = await onTheLog('runs');
    await view.show([task, started(task)]);
    const { status, json } = await answer;
    expect([status, json.status]).to.deep.equal([201, 'running']);
  });

  it('answers with the task as submitted where the view does not show it by then', async () => {
    const { status, json } = await submit('unseen', '0');
    expect([status, json.status]).to.deep.equal([201, 'queued']);
  });

  it('waits also for a task that an earlier request with the key made', async () => {
    const view = new ViewWriter(api.pool, api.redis.client);
    const headers = { 'idempotency-key': 'waits' };
    await submit('keyed', '0', headers);
    const again = submit('keyed', '60', headers);
    const task = await onTheLog('keyed');
    await view.show([task, started(task), succeeded(task)]);
    const { status, json } = await again;
    expect([status, json.status]).to.deep.equal([200, 'success']);
  });

  it('accepts the task all the same when the client goes away', async () => {
    const gone = new AbortController();
    const answer = submit('gone', '60', {}, gone.signal).then(
      () => 'answered',
      (error: Error) => error.name,
    );
    const task = await onTheLog('gone');
    gone.abort();
    expect(await answer).to.equal('AbortError');
    await new ViewWriter(api.pool, api.redis.client).show([task]);
    expect((await api.call(`/tasks/${task.taskId}`)).status).to.equal(200);
  });

  it('is cut short when the api stops, which answers what it has taken in', async () => {
    const other = await startTestApi({ beside: api });
    try {
      const answer = other.call('/tasks', {
        body: { type: api.types.any, payload: {}, tags: ['stops'] },
        headers: { prefer: 'wait=60' },
      });
      const task = await onTheLog('stops');
      await new ViewWriter(api.pool).show([queued({ ...task, userId: accounts.ann.principal.userId })]);
      await other.stopApi();
      const { status, json } = await answer;
      expect([status, json.id]).to.deep.equal([201, task.taskId]);
      const refused = await other.call('/healthz').catch((error: Error) => error.message);
      expect(refused).to.equal('fetch failed');
    } finally {
      await other.close();
    }
  });
});
