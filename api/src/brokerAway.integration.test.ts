import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '@taskflow/embedded/broker';
import { queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { queueRecords } from './testing/queueRecords.ts';
import { startTestApi, type TestApi } from './testing/testApi.ts';

describe('while Kafka is away', function () {
  // A broker that was killed waits for its old session to end before it starts again.
  this.timeout(180_000);
  let stateDir: string;
  let broker: Broker;
  let api: TestApi;
  before(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'api-broker-'));
    const [port, controllerPort] = (await Promise.all([freePort(), freePort()])) as [number, number];
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
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
