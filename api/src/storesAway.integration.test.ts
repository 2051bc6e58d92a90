import { expect } from 'chai';
import { type Cut, cuttable } from './testing/cuttable.ts';
import { queued, started, succeeded } from './testing/events.ts';
import { accounts, startTestApi, type TestApi } from './testing/testApi.ts';
import { ViewWriter } from './testing/viewWriter.ts';

describe('while a store is away', () => {
  let api: TestApi;
  let postgres: Cut;
  let mongo: Cut;
  let redis: Cut;
  before(async () => {
    postgres = await cuttable('TASKFLOW_POSTGRES_URL');
    mongo = await cuttable('TASKFLOW_MONGO_URL');
    redis = await cuttable('TASKFLOW_REDIS_URL');
    api = await startTestApi({ postgresUrl: postgres.url, mongoUrl: mongo.url, redisUrl: redis.url });
  });
  after(async () => {
    await api?.close();
    for (const cut of [postgres, mongo, redis]) await cut?.close();
  });

  const submit = (headers: Record<string, string> = {}) =>
    api.call('/tasks', { body: { type: api.types.any, payload: {} }, headers });
  const readiness = async () => {
    const { status, json } = await api.call('/readyz');
    const { checks } = json as { checks: Record<string, { state: string }> };
    return [status, json.status, Object.keys(checks).filter((name) => checks[name]?.state !== 'ok')];
  };
  const ready = async () => {
    while ((await readiness())[1] !== 'ready') await new Promise(setImmediate);
  };

  it('PostgreSQL: tasks are accepted, what needs it answers 503, and all is well when it is back', async () => {
    await postgres.cut();
    expect((await submit()).status).to.equal(201);
    expect((await submit({ prefer: 'wait=0' })).json.status).to.equal('queued');
    for (const [path, headers] of [
      ['/tasks', { 'idempotency-key': 'k' }],
      ['/tasks', undefined],
      ['/tasks/counts', undefined],
      ['/tasks/01890a5d-ac96-774b-bcce-b302099a8057', undefined],
    ] as const) {
      const answer = await api.call(path, headers && { headers, body: { type: api.types.any, payload: {} } });
      expect([answer.status, answer.json.type], path).to.deep.equal([503, 'urn:taskflow:problem:store-unavailable']);
      expect(answer.headers.get('retry-after')).to.equal('2');
    }
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    for (const [path, body] of [
      [`/tasks/${id}/cancel`, {}],
      [`/tasks/${id}/retry`, {}],
      ['/tasks/bulk', { action: 'cancel', filter: {} }],
      ['/dead-letters', undefined],
      [`/bulk/${id}`, undefined],
    ] as const) {
      const answer = await api.call(path, body && { body });
      expect(answer.status, path).to.equal(503);
      expect(Number(answer.headers.get('retry-after')), path).to.be.at.least(1);
    }
    expect(await readiness()).to.deep.equal([200, 'degraded', ['postgres']]);
    await postgres.mend();
    await ready();
    expect((await submit({ 'idempotency-key': 'k' })).status).to.equal(201);
    expect((await api.call('/tasks')).status).to.equal(200);
  });

  it('MongoDB: tasks are accepted, results answer 503', async () => {
    const task = queued({ userId: accounts.ann.principal.userId, type: api.types.any });
    const result = { storage: 'mongo', value: null, ref: 'away' };
    await new ViewWriter(api.pool).show([task, started(task), succeeded(task, result)]);
    await api.mongo.collection<{ _id: string; value: unknown }>('results').insertOne({ _id: 'away', value: { a: 1 } });
    await mongo.cut();
    expect((await submit()).status).to.equal(201);
    for (const path of ['result', 'logs']) {
      const answer = await api.call(`/tasks/${task.taskId}/${path}`);
      expect([answer.status, answer.json.type]).to.deep.equal([503, 'urn:taskflow:problem:store-unavailable']);
      expect(answer.headers.get('retry-after')).to.equal('5');
    }
    expect((await api.call(`/tasks/${task.taskId}`)).status).to.equal(200);
    expect(await readiness()).to.deep.equal([200, 'degraded', ['mongo']]);
    await mongo.mend();
    await ready();
    expect((await api.call(`/tasks/${task.taskId}/result`)).json).to.deep.equal({ a: 1 });
  });

  it('Redis: all goes on, and whoever waits looks for himself', async () => {
    await redis.cut();
    const answer = submit({ prefer: 'wait=60' });
    const task = queued({ userId: accounts.ann.principal.userId, type: api.types.any });
    await new ViewWriter(api.pool).show([task, started(task), succeeded(task)]);
    expect((await api.call(`/tasks/${task.taskId}`)).json.status).to.equal('success');
    expect(await readiness()).to.deep.equal([200, 'degraded', ['redis']]);
    await redis.mend();
    await ready();
    await api.stopApi();
    expect((await answer).status).to.equal(201);
  });
});
