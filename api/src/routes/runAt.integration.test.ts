import { readRange } from '@taskflow/log/reader';
import { ensureTopics, typeTopics } from '@taskflow/log/topics';
import type { TaskScheduled } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { type LiveView, liveView } from '../testing/liveView.ts';
import { queueRecords } from '../testing/queueRecords.ts';
import { codec, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('runAt', () => {
  const later = '2099-01-01T01:00:00.000+01:00';
  const laterText = '2099-01-01T00:00:00.000Z';
  let api: TestApi;
  let view: LiveView;

  before(async () => {
    api = await startTestApi();
    view = await liveView(api);
  });
  after(async () => {
    await view?.stop();
    await api?.close();
  });

  const submit = (body: object, headers: Record<string, string> = {}) =>
    api.call('/tasks', { body: { type: api.types.any, payload: { n: 1 }, ...body }, headers });
  const scheduledOnLog = async (id: string): Promise<{ event: TaskScheduled; partition: number; offset: number }[]> => {
    const topic = eventsTopic(api.types.any, 'normal');
    const found: { event: TaskScheduled; partition: number; offset: number }[] = [];
    for (const partition of [0, 1, 2]) {
      for await (const records of readRange(api.cluster, { topic, partition, from: 'start' })) {
        for (const { key, value, offset } of records)
          if (String(key) === id)
            found.push({ event: codec.decode(value as Buffer) as TaskScheduled, partition, offset });
      }
    }
    return found;
  };
  const onQueue = async () =>
    new Set((await queueRecords(api.cluster, queueTopic(api.types.any, 'normal'))).map(({ key }) => key));

  it('takes a task for later: a TaskScheduled among its events, nothing in the queue', async () => {
    const { status, json, headers } = await submit({ runAt: later, tags: ['then'], expiresAt: '2099-01-01T00:00:01Z' });
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`/tasks/${json.id}`);
    expect(json).to.include({ status: 'scheduled', runAt: laterText, queuedAt: null, attempt: 1 });
    const [record, ...more] = await scheduledOnLog(json.id);
    expect(more).to.deep.equal([]);
    expect(json.log).to.deep.equal({
      queue: null,
      events: {
        topic: eventsTopic(api.types.any, 'normal'),
        partition: record?.partition,
        firstOffset: record?.offset,
        lastOffset: record?.offset,
      },
    });
    expect(record?.event).to.include({ event: 'TaskScheduled', taskId: json.id, runAt: Date.parse(later) });
    expect(record?.event.task).to.deep.include({ payload: '{"n":1}', tags: ['then'] });
    expect(await onQueue()).not.to.include(json.id);
    expect((await api.call(`/tasks/${json.id}`)).json).to.deep.equal(json);
  });

  it('queues at once what is for a time that has come', async () => {
    const { status, json } = await submit({ runAt: '2020-01-01T00:00:00Z' });
    expect(status).to.equal(201);
    expect(json).to.include({ status: 'queued', runAt: null });
    expect(await onQueue()).to.include(json.id);
  });

  it('takes batches in which some are for later, in order', async () => {
    const tasks = [undefined, later, '2020-01-01T00:00:00Z', later].map((runAt, n) => ({
      type: api.types.any,
      payload: { n },
      ...(runAt === undefined ? undefined : { runAt }),
    }));
    const { status, json } = await api.call('/tasks/batch', { body: { tasks } });
    expect(status).to.equal(201);
    const items = json.items as { id: string; status: string; payload: { n: number } }[];
    expect(items.map((item) => item.status)).to.deep.equal(['queued', 'scheduled', 'queued', 'scheduled']);
    expect(items.map(({ payload }) => payload.n)).to.deep.equal([0, 1, 2, 3]);
    for (const { id, status: then } of items)
      expect([then, (await scheduledOnLog(id)).length]).to.be.deep.oneOf([
        ['queued', 0],
        ['scheduled', 1],
      ]);
  });

  it('is the same task under the same idempotency key', async () => {
    const headers = { 'idempotency-key': 'one-for-later' };
    const first = await submit({ runAt: later }, headers);
    const second = await submit({ runAt: later }, headers);
    expect([first.status, second.status]).to.deep.equal([201, 200]);
    expect(second.json).to.deep.equal(first.json);
    expect(await scheduledOnLog(first.json.id)).to.have.length(1);
    expect((await submit({ runAt: '2099-01-01T00:00:01Z' }, headers)).status).to.equal(409);
  });

  it('can be cancelled', async () => {
    const { json } = await submit({ runAt: later });
    expect((await api.call(`/tasks/${json.id}/cancel`, { method: 'POST' })).json.status).to.equal('cancelled');
  });

  it('reaches as far as events are kept', async () => {
    await ensureTopics(api.cluster, typeTopics(api.types.page, { retentionMs: 3_600_000 }));
    const page = (runAt: number) =>
      submit({ type: api.types.page, payload: { url: 'http://a/' }, runAt: new Date(runAt).toISOString() });
    expect((await page(Date.now() + 3_500_000)).status).to.equal(201);
    const { status, json } = await page(Date.now() + 3_700_000);
    expect(status).to.equal(400);
    expect(json.errors[0]).to.include({ path: 'runAt' });
    expect(json.errors[0].message).to.include('3600 s');
    const tasks = [{}, { runAt: later }].map((more) => ({
      type: api.types.page,
      payload: { url: 'http://a/' },
      ...more,
    }));
    const batch = await api.call('/tasks/batch', { body: { tasks } });
    expect([batch.status, batch.json.errors[0].path]).to.deep.equal([400, 'tasks[1].runAt']);
  });

  for (const [what, body, path] of [
    ['no time', { runAt: 'tomorrow' }, 'runAt'],
    ['a day without a time', { runAt: '2099-01-01' }, 'runAt'],
    ['a number', { runAt: 4_070_908_800_000 }, 'runAt'],
    ['a time after which no year has four digits', { runAt: '9999-12-31T23:59:59-01:00' }, 'runAt'],
    ['an expiresAt before it', { runAt: later, expiresAt: '2098-01-01T00:00:00Z' }, 'expiresAt'],
    ['an expiresAt that it is', { runAt: later, expiresAt: later }, 'expiresAt'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { status, json } = await submit(body);
      expect([status, json.errors[0].path]).to.deep.equal([400, path]);
    });
  }
});
