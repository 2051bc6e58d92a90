import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '@taskflow/embedded/broker';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import { queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { failed, queued, started } from './testing/events.ts';
import { queueRecords } from './testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from './testing/testApi.ts';
import { ViewWriter } from './testing/viewWriter.ts';

describe('while Kafka is away', function () {
  // A broker that was killed waits for its old session to end before it starts again.
  this.timeout(180_000);
  let stateDir: string;
  let broker: Broker;
  let api: TestApi;
  before(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'api-broker-'));
    const [port, controllerPort] = (await freePorts(2)) as [number, number];
    broker = await startBroker({ stateDir, port, controllerPort });
    api = await startTestApi({ brokers: [broker.address], appendTimeoutMs: 1_500 });
  });
  after(async () => {
    await api?.close();
    await broker?.kill();
    await rm(stateDir, { recursive: true, force: true });
  });

  const submit = (n: number, headers: Record<string, string> = {}) =>
    api.call('/tasks', { body: { type: api.types.any, payload: { n } }, headers });
  const onTheLog = async () => {
    const records = await queueRecords(api.cluster, queueTopic(api.types.any, 'normal'));
    return new Map(records.map(({ key, event }) => [key, event]));
  };

  it('submissions answer 503, nothing accepted is lost, and it recovers by itself', async () => {
    const accepted: string[] = [(await submit(0)).json.id];
    // Some are on their way when the broker dies: each is either acknowledged or refused, never both.
    const answers = Array.from({ length: 20 }, (_, n) => submit(n + 1));
    await Promise.all([broker.kill(), Promise.race(answers)]);
    for (const { status, json, headers } of await Promise.all(answers)) {
      if (status === 201) accepted.push(json.id);
      else expect([status, headers.get('retry-after')]).to.deep.equal([503, '2']);
    }

    const refused = await submit(100);
    expect([refused.status, refused.json.type]).to.deep.equal([503, 'urn:taskflow:problem:log-unavailable']);
    expect(refused.headers.get('retry-after')).to.equal('2');
    const batch = await api.call('/tasks/batch', { body: { tasks: [{ type: api.types.any, payload: {} }] } });
    expect([batch.status, batch.headers.get('retry-after')]).to.deep.equal([503, '2']);
    const keyed = { 'idempotency-key': 'while-away' };
    expect((await submit(101, keyed)).status).to.equal(503);

    const { ann, admin } = accounts;
    const running = queued({ userId: ann.principal.userId, type: api.types.any });
    const dead = queued({ userId: ann.principal.userId, type: api.types.any });
    await new ViewWriter(api.pool).show([running, started(running), dead, started(dead), failed(dead)]);
    for (const path of [
      `/tasks/${running.taskId}/cancel`,
      `/tasks/${dead.taskId}/retry`,
      `/types/${api.types.any}/pause`,
      '/tasks/bulk',
    ]) {
      const body = path === '/tasks/bulk' ? { action: 'cancel', filter: {} } : {};
      const answer = await api.call(path, { body, key: path.startsWith('/types') ? admin.key : ann.key });
      expect(answer.status, path).to.equal(503);
      expect(Number(answer.headers.get('retry-after')), path).to.be.at.least(1);
    }
    expect((await api.call('/poison', { key: admin.key })).status).to.equal(503);

    const readiness = await api.call('/readyz');
    expect([readiness.status, readiness.json.status, readiness.json.checks.log.state]).to.deep.equal([
      503,
      'not-ready',
      'failing',
    ]);
    const unknown = await api.call('/tasks/01890a5d-ac96-774b-bcce-b302099a8057');
    expect([unknown.status, unknown.json.type]).to.deep.equal([503, 'urn:taskflow:problem:view-behind']);
    expect((await api.call('/tasks')).status).to.equal(200);

    await broker.start();
    while ((await api.call('/readyz')).status !== 200) await new Promise(setImmediate);
    let later = await submit(102);
    while (later.status === 503) later = await submit(102);
    expect(later.status).to.equal(201);
    accepted.push(later.json.id);

    // The key's first request may or may not have reached the log: its task is appended again, marked for a check.
    const again = await submit(101, keyed);
    expect(again.status).to.equal(201);
    expect((await submit(101, keyed)).json.id).to.equal(again.json.id);
    const records = await onTheLog();
    expect(records.get(again.json.id)?.check).to.equal(true);
    for (const id of accepted) expect(records.has(id), id).to.equal(true);

    // So may the redrive.
    expect((await api.call(`/tasks/${dead.taskId}/retry`, { body: {} })).status).to.equal(202);
    expect((await onTheLog()).get(dead.taskId)).to.include({ generation: 1, check: true });
  });
});
