import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  credentials,
  Client as GrpcClient,
  Server as GrpcServer,
  loadPackageDefinition,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { temporaryFolder } from '@taskflow/embedded/testing/temporaryFolder';
import { until } from '@taskflow/embedded/testing/until';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import {
  type WorkerServicePackage,
  workerServiceDescriptor,
  workerServiceOptions,
} from '@taskflow/schemas/workerService';
import { expect } from 'chai';
import { buildGoWorker, type GoWorker, startGoWorker } from '../testing/goWorker.ts';
import { startTestApi, type TestApi } from '../testing/testApi.ts';
import { testTypes } from '../testing/testTypes.ts';

/** As the Go worker registers its types. */
function registerGoTypes({ registered }: TestApi): void {
  for (const type of ['noop_go', 'file_hash']) {
    const schema = new URL(`../../../go-workers/tasks/${type}/payload.schema.json`, import.meta.url);
    const [common] = testTypes({ any: type, page: 'unused' });
    registered.set(type, { ...common!, runtime: 'go', payloadSchema: readFileSync(schema, 'utf8') });
  }
}

describe('previews', () => {
  const folder = temporaryFolder();
  let program: string;
  let worker: GoWorker;
  /** It makes the topics that every worker needs, and knows of no workers itself. */
  let without: TestApi;
  let api: TestApi;
  const file = Buffer.from('the bytes of a file');
  let site: Server;

  before(async function () {
    this.timeout(300_000);
    program = await buildGoWorker(folder);
    without = await startTestApi();
    registerGoTypes(without);
    worker = await startGoWorker(program, { TASKFLOW_FETCH_ALLOW: '127.0.0.1/32', TASKFLOW_PREVIEW_SLOTS: '2' });
    api = await startTestApi({ beside: without, previewWorkers: [`127.0.0.1:${worker.grpcPort}`] });
    site = createServer((request, response) => {
      if (request.url === '/file') response.end(file);
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
  });

  after(async () => {
    site?.close();
    await api?.close();
    await without?.close();
    await worker?.stop();
  });

  const preview = (type: string, body: unknown, on = api) => on.call(`/types/${type}/preview`, { body });
  const urlOf = (path: string) => `http://127.0.0.1:${(site.address() as AddressInfo).port}${path}`;

  /** Previews that the worker was told to stop. At a deadline client and worker tell it at once, and either may be the first. */
  const stopped = async () =>
    (await worker.calls('Preview', 'Canceled')) + (await worker.calls('Preview', 'DeadlineExceeded'));

  it('give what the task gives', async () => {
    const { status: http, json } = await preview('noop_go', { payload: { echo: { a: [1, 'ä', null] } } });
    expect([http, json]).to.deep.equal([200, { result: { a: [1, 'ä', null] } }]);
    expect((await preview('noop_go', { payload: {} })).json).to.deep.equal({ result: null });
  });

  it('run real work: the hash of a file', async () => {
    const { status: http, json } = await preview('file_hash', { payload: { url: urlOf('/file') }, deadlineMs: 10_000 });
    expect([http, json.result.size]).to.deep.equal([200, file.length]);
    expect(json.result.hashes.sha256).to.equal(createHash('sha256').update(file).digest('hex'));
  });

  it('make no task: nothing is on the log', async () => {
    const admin = api.cluster.kafkajs.admin();
    await admin.connect();
    const topics = [queueTopic('noop_go', 'normal'), eventsTopic('noop_go', 'normal'), 'taskflow.logs'];
    const ends = () => Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
    const before = await ends();
    expect((await preview('noop_go', { payload: {} })).status).to.equal(200);
    expect((await preview('noop_go', { payload: { fail: 'MY_CODE' } })).status).to.equal(422);
    expect(await ends()).to.deep.equal(before);
    await admin.disconnect();
  });

  it('say how the task failed', async () => {
    const missing = await preview('file_hash', { payload: { url: urlOf('/nothing') } });
    expect([missing.status, missing.json.type]).to.deep.equal([422, 'urn:taskflow:problem:preview-failed']);
    expect(missing.json.error).to.include({ code: 'HTTP_STATUS', retryable: false, message: missing.json.detail });
    const asked = await preview('noop_go', { payload: { fail: 'MY_CODE' } });
    expect([asked.status, asked.json.error.code, asked.json.error.retryable]).to.deep.equal([422, 'MY_CODE', true]);
  });

  for (const [what, type, body, path] of [
    ['a field of the payload', 'file_hash', { payload: { url: 1 } }, 'payload.url'],
    ['a field too many in it', 'file_hash', { payload: { url: 'http://a/', more: 1 } }, 'payload.more'],
    [
      'an element of a list in it',
      'file_hash',
      { payload: { url: 'http://a/', algorithms: ['x'] } },
      'payload.algorithms[0]',
    ],
    ['no payload', 'file_hash', {}, 'payload'],
    ['a payload that is no object', 'noop_go', { payload: [] }, 'payload'],
    ['a field of the body', 'noop_go', { payload: {}, more: 1 }, 'more'],
    ['no time', 'noop_go', { payload: {}, deadlineMs: 0 }, 'deadlineMs'],
    ['too much time', 'noop_go', { payload: {}, deadlineMs: 30_001 }, 'deadlineMs'],
    ['half a millisecond', 'noop_go', { payload: {}, deadlineMs: 0.5 }, 'deadlineMs'],
  ] as const) {
    it(`are refused for ${what}`, async () => {
      const { status: http, json } = await preview(type, body);
      expect([http, json.type]).to.deep.equal([400, 'urn:taskflow:problem:invalid-request']);
      expect(json.errors.map((one: { path: string }) => one.path)).to.deep.equal([path]);
    });
  }

  it('are refused for a payload of more bytes than a task may have', async () => {
    expect((await preview('noop_go', { payload: { echo: 'x'.repeat(262_144) } })).status).to.equal(413);
  });

  it('know no types but those of the catalogue', async () => {
    const { status: http, json } = await preview('nothing', { payload: {} });
    expect([http, json.type]).to.deep.equal([404, 'urn:taskflow:problem:type-not-found']);
  });

  it('are not offered for types that no Go worker runs', async () => {
    const { status: http, json } = await preview(api.types.any, { payload: {} });
    expect([http, json.type]).to.deep.equal([409, 'urn:taskflow:problem:preview-not-offered']);
    expect(json.detail).to.include(`"${api.types.any}"`).and.to.include('TASKFLOW_PREVIEW_WORKERS');
  });

  it('end at their deadline', async () => {
    const { status: http, json } = await preview('noop_go', { payload: { sleepMs: 60_000 }, deadlineMs: 50 });
    expect([http, json.type]).to.deep.equal([504, 'urn:taskflow:problem:preview-timeout']);
    await until(async () => (await stopped()) === 1);
  });

  it('are bounded; when their clients go away they end, and others have their slots', async () => {
    const before = await stopped();
    const gone = new AbortController();
    const body = { payload: { sleepMs: 60_000 }, deadlineMs: 30_000 };
    const running = [1, 2].map(() =>
      api.call('/types/noop_go/preview', { body, signal: gone.signal }).catch((error: Error) => error.name),
    );
    let refused = await preview('noop_go', { payload: {} });
    await until(async () => {
      refused = await preview('noop_go', { payload: {} });
      return refused.status !== 200;
    });
    expect([refused.status, refused.json.type]).to.deep.equal([429, 'urn:taskflow:problem:too-many-previews']);
    expect(refused.headers.get('retry-after')).to.equal('1');
    gone.abort();
    expect(await Promise.all(running)).to.deep.equal(['AbortError', 'AbortError']);
    await until(async () => (await stopped()) === before + 2);
    await until(async () => (await preview('noop_go', { payload: {} })).status === 200);
  });

  it('are refused as a whole where the api knows of no workers', async () => {
    const { status: http, json } = await preview('noop_go', { payload: {} }, without);
    expect([http, json.type]).to.deep.equal([409, 'urn:taskflow:problem:preview-not-offered']);
  });

  it('say that a worker failed', async () => {
    const contract = loadPackageDefinition(fromJSON(workerServiceDescriptor, workerServiceOptions));
    const { service } = (contract as unknown as WorkerServicePackage).taskflow.worker.v1.WorkerService;
    const failing = new GrpcServer();
    const fail = (_call: unknown, answer: (error: object) => void) =>
      answer({ code: status.INTERNAL, details: 'noop_go panicked: a bug' });
    failing.addService(service, { Describe: fail, Validate: fail, Preview: fail });
    const port = await new Promise<number>((resolve, reject) =>
      failing.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    const beside = await startTestApi({ beside: api, previewWorkers: [`127.0.0.1:${port}`] });
    try {
      const { status: http, json } = await preview('noop_go', { payload: {} }, beside);
      expect([http, json.type]).to.deep.equal([502, 'urn:taskflow:problem:preview-worker-failed']);
      expect(json.detail).to.include('a bug');
    } finally {
      await beside.close();
      failing.forceShutdown();
    }
  });

  it('go round, and find the worker that runs the type', async () => {
    const workers = await Promise.all(
      ['noop_go', 'file_hash'].map((types) =>
        startGoWorker(program, { TASKFLOW_TASK_TYPES: types, TASKFLOW_FETCH_ALLOW: '127.0.0.1/32' }),
      ),
    );
    const previewWorkers = workers.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
    const beside = await startTestApi({ beside: api, previewWorkers });
    try {
      for (let i = 0; i < 10; i++) {
        for (const echo of [i, 'again']) {
          expect((await preview('noop_go', { payload: { echo } }, beside)).json).to.deep.equal({ result: echo });
        }
        expect((await preview('file_hash', { payload: { url: urlOf('/file') } }, beside)).status).to.equal(200);
      }
      expect(await workers[0]!.calls('Preview', 'Unimplemented')).to.be.greaterThan(0);
      await workers[1]!.kill();
      await until(async () => (await preview('noop_go', { payload: {} }, beside)).status === 200);
      for (let i = 0; i < 4; i++) {
        expect((await preview('noop_go', { payload: {} }, beside)).status).to.equal(200);
      }
      const gone = await preview('file_hash', { payload: { url: urlOf('/file') } }, beside);
      expect(gone.json.type).to.equal('urn:taskflow:problem:preview-unavailable');
    } finally {
      await beside.close();
      await Promise.all(workers.map((one) => one.kill()));
    }
  });

  it('say that the worker is away, and use it when it is back', async () => {
    const other = await startGoWorker(program);
    const beside = await startTestApi({ beside: api, previewWorkers: [`127.0.0.1:${other.grpcPort}`] });
    try {
      const running = preview('noop_go', { payload: { sleepMs: 60_000 }, deadlineMs: 30_000 }, beside);
      await until(async () => (await preview('noop_go', { payload: {} }, beside)).status === 200);
      await other.kill();
      const { status: http, json, headers } = await running;
      expect([http, json.type]).to.deep.equal([503, 'urn:taskflow:problem:preview-unavailable']);
      expect(headers.get('retry-after')).to.equal('2');
      expect((await preview('noop_go', { payload: {} }, beside)).status).to.equal(503);
      const again = await startGoWorker(program, { TASKFLOW_GRPC_PORT: String(other.grpcPort) });
      try {
        await until(async () => (await preview('noop_go', { payload: {} }, beside)).status === 200);
      } finally {
        await again.stop();
      }
    } finally {
      await beside.close();
      await other.kill();
    }
  });

  it('are served beside the standard health service', async () => {
    const client = new GrpcClient(`127.0.0.1:${worker.grpcPort}`, credentials.createInsecure());
    const check = (service: string) =>
      new Promise<Buffer>((resolve, reject) =>
        client.makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          (name: string) => Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]), // field 1: the service
          (answer: Buffer) => answer,
          service,
          (error, answer) => (error === null ? resolve(answer!) : reject(error)),
        ),
      );
    try {
      const serving = Buffer.from([0x08, 1]); // field 1: SERVING
      expect(await check('')).to.deep.equal(serving);
      expect(await check('taskflow.worker.v1.WorkerService')).to.deep.equal(serving);
    } finally {
      client.close();
    }
  });
});
