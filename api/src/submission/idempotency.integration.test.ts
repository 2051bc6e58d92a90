import { queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { canonicalHash } from '../http/canonicalJson.ts';
import { queueRecords } from '../testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';
import { idempotencyKeys } from './idempotencyKeys.ts';

describe('Idempotency-Key', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  let keys = 0;
  const newKey = () => `key-${++keys}`;
  const submit = (key: string, body: unknown, account: keyof typeof accounts = 'ann', path = '/tasks') =>
    api.call(path, { body, headers: { 'idempotency-key': key }, key: accounts[account].key });
  const records = async (id: string) =>
    (await queueRecords(api.cluster, queueTopic(api.types.any, 'normal'))).filter(({ key }) => key === id);
  const task = (n: number) => ({ type: api.types.any, payload: { n } });

  it('gives the first task to whoever comes again', async () => {
    const key = newKey();
    const first = await submit(key, task(1));
    const again = await submit(key, { payload: { n: 1 }, type: api.types.any });
    expect([first.status, again.status]).to.deep.equal([201, 200]);
    expect(again.json).to.deep.include({ id: first.json.id, createdAt: first.json.createdAt, payload: { n: 1 } });
    expect(again.headers.get('location')).to.equal(`/tasks/${first.json.id}`);
    const [record, ...more] = await records(first.json.id);
    expect(more).to.deep.equal([]);
    expect(record?.event.task).to.include({ idempotencyKey: key, bodyHash: canonicalHash(task(1)) });
    expect(record?.event.check).to.equal(false);
  });

  it('of many at once lets one append, and answers the others with its task', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 24 }, () => submit(key, task(2))));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([...Array(23).fill(200), 201]);
    const ids = new Set(answers.map(({ json }) => json.id));
    expect(ids.size).to.equal(1);
    expect(await records([...ids][0])).to.have.length(1);
  });

  it('holds between two apis', async () => {
    const other = await startTestApi({ beside: api });
    try {
      const key = newKey();
      const answers = await Promise.all(
        [api, other, api, other, api, other].map((one) =>
          one.call('/tasks', { body: task(3), headers: { 'idempotency-key': key } }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 200, 200, 200, 201]);
      expect(await records(answers[0]?.json.id)).to.have.length(1);
    } finally {
      await other.close();
    }
  });

  it('refuses another body', async () => {
    const key = newKey();
    await submit(key, task(4));
    for (const body of [task(5), { ...task(4), priority: 'high' }, { ...task(4), tags: [] }]) {
      const { status, json } = await submit(key, body);
      expect([status, json.type]).to.deep.equal([409, 'urn:taskflow:problem:idempotency-conflict']);
    }
  });

  it('is its user’s own', async () => {
    const key = newKey();
    const ofAnn = await submit(key, task(6), 'ann');
    const ofBob = await submit(key, task(7), 'bob');
    expect([ofAnn.status, ofBob.status]).to.deep.equal([201, 201]);
    expect(ofBob.json.id).not.to.equal(ofAnn.json.id);
    expect(ofBob.json.userId).to.equal(accounts.bob.principal.userId);
  });

  it('is not used up by a request that was refused', async () => {
    const key = newKey();
    expect((await submit(key, { type: 'nope', payload: {} })).status).to.equal(400);
    expect((await submit(key, task(8))).status).to.equal(201);
  });

  it('covers a batch', async () => {
    const key = newKey();
    const body = { tasks: [task(1), task(2), task(3)] };
    const answers = await Promise.all(Array.from({ length: 4 }, () => submit(key, body, 'ann', '/tasks/batch')));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 200, 201]);
    const ids = answers.map(({ json }) => json.items.map((item: { id: string }) => item.id));
    for (const other of ids) expect(other).to.deep.equal(ids[0]);
    expect(answers[0]?.json.items.map((item: { payload: { n: number } }) => item.payload.n)).to.deep.equal([1, 2, 3]);
    expect((await submit(key, { tasks: [task(1)] }, 'ann', '/tasks/batch')).status).to.equal(409);
    expect((await submit(key, task(1))).status).to.equal(409);
  });

  it('refuses a key that is none', async () => {
    for (const key of ['a b', 'x'.repeat(256)]) {
      const { status, json } = await submit(key, task(1));
      expect([status, json.errors[0].path]).to.deep.equal([400, '["idempotency-key"]']);
    }
  });

  describe('after an api died between its row and its append', () => {
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const store = (claimMs: number) => idempotencyKeys(api.pool, { claimMs, keepMs: 86_400_000 });
    const tasks = { ids: [id], eventsPartitions: [2], createdAt: 1_700_000_000_123 };

    it('appends the same task, marked for a check, with the next request', async () => {
      const key = newKey();
      const { userId } = accounts.ann.principal;
      const claim = await store(0).claim({ userId, key, bodyHash: canonicalHash(task(9)), tasks });
      expect(claim).to.deep.equal({ kind: 'append', again: false, tasks });
      const answers = await Promise.all([submit(key, task(9)), submit(key, task(9))]);
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 201]);
      for (const { json } of answers) {
        expect(json).to.include({ id, createdAt: '2023-11-14T22:13:20.123Z' });
      }
      const [record, ...more] = await records(id);
      expect(more).to.deep.equal([]);
      expect(record?.event).to.include({ check: true, eventsPartition: 2, occurredAt: tasks.createdAt });
    });

    it('waits for its claim to run out, and not for one that is renewed', async () => {
      const { userId } = accounts.ann.principal;
      const key = newKey();
      const submission = { userId, key, bodyHash: 'h', tasks };
      const holder = store(60_000);
      expect((await holder.claim(submission)).kind).to.equal('append');
      expect(await holder.claim(submission)).to.deep.equal({ kind: 'busy' });
      expect(await holder.claim({ ...submission, bodyHash: 'other' })).to.deep.equal({ kind: 'conflict' });
      await store(0).renew(userId, key, id);
      expect(await holder.claim(submission)).to.deep.equal({ kind: 'append', again: true, tasks });
      await holder.settle(userId, key, id, 'failed');
      expect(await holder.claim(submission)).to.deep.equal({ kind: 'append', again: true, tasks });
      await holder.settle(userId, key, id, 'appended');
      expect(await holder.claim(submission)).to.deep.equal({ kind: 'appended', tasks });
    });
  });

  it('is forgotten when its time is over, and swept', async () => {
    const { userId } = accounts.bob.principal;
    const store = idempotencyKeys(api.pool, { claimMs: 60_000, keepMs: 0 });
    const first = {
      userId,
      key: newKey(),
      bodyHash: 'a',
      tasks: { ids: [accounts.ann.principal.userId], eventsPartitions: [0], createdAt: 5 },
    };
    const second = { ...first, bodyHash: 'b', tasks: { ...first.tasks, createdAt: 6 } };
    expect(await store.claim(first)).to.deep.equal({ kind: 'append', again: false, tasks: first.tasks });
    expect(await store.claim(second)).to.deep.equal({ kind: 'append', again: false, tasks: second.tasks });
    expect(await store.sweep()).to.equal(1);
    expect(await store.sweep()).to.equal(0);
  });
});
