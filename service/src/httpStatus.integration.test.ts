import { expect } from 'chai';
import { type StatusServer, startStatusServer } from './httpStatus.ts';
import { createMetrics } from './metrics.ts';
import { createReadiness } from './readiness.ts';

describe('startStatusServer', () => {
  const readiness = createReadiness();
  const check = readiness.check('kafka');
  const metrics = createMetrics({ defaults: false });
  const flushes = metrics.counter('flushes_total', 'Flushes.', ['projection']);
  let server: StatusServer;
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });

  before(async () => {
    server = await startStatusServer({ port: 0, host: '127.0.0.1', readiness, metrics });
  });
  after(() => server.stop());

  it('says that it is alive', async () => {
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('is ready when its checks are', async () => {
    check.failing('no broker answers');
    const failing = await get('/readyz');
    expect(failing.status).to.equal(503);
    expect(await failing.json()).to.have.nested.property('checks.kafka.reason', 'no broker answers');
    check.ok();
    expect((await get('/readyz')).status).to.equal(200);
  });

  it('serves metrics with their prefix', async () => {
    flushes.inc({ projection: 'tasks' }, 2);
    expect(await (await get('/metrics')).text()).to.include('taskflow_flushes_total{projection="tasks"} 2');
  });

  it('answers 404 and 405 to the rest', async () => {
    expect((await get('/tasks')).status).to.equal(404);
    expect((await get('/healthz', 'POST')).status).to.equal(405);
  });

  it('names the port that is taken, and the variable that moves it', async () => {
    const error = await startStatusServer({ port: server.port, host: '127.0.0.1', readiness, metrics }).then(
      () => expect.fail('it listened twice'),
      (reason: Error) => reason,
    );
    expect(error.message).to.include(`127.0.0.1:${server.port}`).and.include('TASKFLOW_STATUS_PORT');
  });
});
