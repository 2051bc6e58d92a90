import { randomUUID } from 'node:crypto';
import { queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { queueRecords } from '../testing/queueRecords.ts';
import { startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /tasks/batch', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  const submit = (body: unknown) => api.call('/tasks/batch', { body });
  const onTheLog = async () => (await queueRecords(api.cluster, queueTopic(api.types.any, 'normal'))).length;

  it('accepts a thousand tasks in their order', async () => {
    const tasks = Array.from({ length: 1_000 }, (_, n) => ({ type: api.types.any, payload: { n } }));
    const { status, json } = await submit({ tasks });
    expect(status).to.equal(201);
    expect(json.items.map((item: { payload: { n: number } }) => item.payload.n)).to.deep.equal(tasks.map((_, n) => n));
    expect(new Set(json.items.map((item: { id: string }) => item.id)).size).to.equal(1_000);
    const records = await queueRecords(api.cluster, json.items[0].log.queue.topic);
    expect(records.map(({ key }) => key)).to.deep.equal(json.items.map((item: { id: string }) => item.id));
    expect(records.map(({ offset }) => offset)).to.deep.equal(
      json.items.map((item: { log: { queue: { offset: number } } }) => item.log.queue.offset),
    );
  });

  it('answers with the ids alone where that is preferred, also when it is repeated', async () => {
    const body = { tasks: Array.from({ length: 3 }, () => ({ type: api.types.any, payload: {} })) };
    const headers = { prefer: 'return=minimal', 'idempotency-key': randomUUID() };
    const first = await api.call('/tasks/batch', { body, headers });
    expect(first.status).to.equal(201);
    expect(first.headers.get('preference-applied')).to.equal('return=minimal');
    expect(first.json.items.map((item: object) => Object.keys(item))).to.deep.equal(Array(3).fill(['id']));
    const log = await queueRecords(api.cluster, queueTopic(api.types.any, 'normal'));
    expect(log.slice(-3).map(({ key }) => key)).to.deep.equal(first.json.items.map(({ id }: { id: string }) => id));
    const again = await api.call('/tasks/batch', { body, headers });
    expect(again.status).to.equal(200);
    expect(again.json).to.deep.equal(first.json);
  });

  it('takes tasks of several types and priorities', async () => {
    const { status, json } = await submit({
      tasks: [
        { type: api.types.any, payload: {}, priority: 'low' },
        { type: api.types.page, payload: { url: 'https://example.com' } },
        { type: api.types.any, payload: {}, priority: 'high' },
      ],
    });
    expect(status).to.equal(201);
    expect(json.items.map((item: { priority: string }) => item.priority)).to.deep.equal(['low', 'normal', 'high']);
  });

  describe('submits nothing, and names the index, when', () => {
    const good = () => ({ type: api.types.any, payload: {} });
    const cases: readonly [string, () => unknown, number, string][] = [
      ['a payload is bad', () => ({ type: api.types.page, payload: { url: 'ftp://a' } }), 400, 'tasks[1].payload.url'],
      ['a type is unknown', () => ({ type: 'nope', payload: {} }), 400, 'tasks[1].type'],
      ['a field is unknown', () => ({ ...good(), userId: 'x' }), 400, 'tasks[1].userId'],
      ['a task is no object', () => 7, 400, 'tasks[1]'],
      [
        'a task is too large',
        () => ({ type: api.types.any, payload: { x: 'ü'.repeat(131_073) } }),
        413,
        'tasks[1].payload',
      ],
      ['a task is for no time', () => ({ ...good(), runAt: 'tomorrow' }), 400, 'tasks[1].runAt'],
    ];
    for (const [what, bad, expected, path] of cases) {
      it(what, async () => {
        const before = await onTheLog();
        const { status, json } = await submit({ tasks: [good(), bad(), good()] });
        expect(status).to.equal(expected);
        expect(json.errors.map((error: { path: string }) => error.path)).to.deep.equal([path]);
        expect(await onTheLog()).to.equal(before);
      });
    }

    it('several are bad, each of them', async () => {
      const { json } = await submit({
        tasks: [good(), { type: 'nope', payload: {} }, { type: api.types.page, payload: {} }, good()],
      });
      expect(json.errors.map((error: { path: string }) => error.path)).to.deep.equal([
        'tasks[1].type',
        'tasks[2].payload.url',
      ]);
    });
  });

  it('refuses an empty batch, one of more than a thousand, and unknown fields beside it', async () => {
    const task = { type: api.types.any, payload: {} };
    for (const body of [
      { tasks: [] },
      { tasks: Array(1_001).fill(task) },
      { tasks: [task], atomic: true },
      { tasks: task },
      {},
    ]) {
      expect((await submit(body)).status).to.equal(400);
    }
  });

  it('refuses a body of more than 8 MiB', async () => {
    const tasks = Array.from({ length: 60 }, () => ({ type: api.types.any, payload: { x: 'x'.repeat(150_000) } }));
    const { status, json } = await submit({ tasks });
    expect([status, json.maxBytes]).to.deep.equal([413, 8_388_608]);
    expect((await submit({ tasks: tasks.slice(0, 50) })).status).to.equal(201);
  });
});
