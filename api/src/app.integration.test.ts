import net from 'node:net';
import { expect } from 'chai';
import { accounts, startTestApi, type TestApi } from './testing/testApi.ts';

describe('the api as a whole', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  const anId = '01890a5d-ac96-774b-bcce-b302099a8057';

  describe('keys', () => {
    const open = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'];
    for (const path of open) {
      it(`are not asked for by ${path}`, async () =>
        expect((await api.call(path, { key: null })).status).to.equal(200));
    }

    const guarded: readonly [string, string][] = [
      ['POST', '/tasks'],
      ['POST', '/tasks/batch'],
      ['POST', '/tasks/bulk'],
      ['GET', '/tasks'],
      ['GET', '/tasks/counts'],
      ...['', '/result', '/result/figures', '/logs', '/events'].map((path): [string, string] => [
        'GET',
        `/tasks/${anId}${path}`,
      ]),
      ...['cancel', 'retry'].map((verb): [string, string] => ['POST', `/tasks/${anId}/${verb}`]),
      ['GET', `/bulk/${anId}`],
      ['GET', '/types'],
      ...['pause', 'resume', 'preview'].map((verb): [string, string] => ['POST', `/types/noop/${verb}`]),
      ['GET', '/dead-letters'],
      ['GET', '/poison'],
      ['POST', '/blobs'],
    ];
    for (const [method, path] of guarded) {
      it(`are asked for by ${method} ${path}`, async () => {
        for (const authorization of [undefined, 'Bearer wrong', `Basic ${accounts.ann.key}`, accounts.ann.key]) {
          const answer = await api.call(path, { method, key: null, headers: authorization ? { authorization } : {} });
          expect([answer.status, answer.json.type]).to.deep.equal([401, 'urn:taskflow:problem:unauthorized']);
          expect(answer.headers.get('www-authenticate')).to.match(/^Bearer/);
        }
      });
    }

    it('are asked for by everything else that is declared', async () => {
      const { json } = await api.call('/openapi.json');
      const declared = Object.entries(json.paths as Record<string, Record<string, unknown>>).flatMap(
        ([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      const tested = [
        ...open.map((path) => `GET ${path}`),
        ...guarded.map(([method, path]) => `${method} ${path.replace(anId, '{id}').replace('noop', '{type}')}`),
      ];
      expect(declared.sort()).to.deep.equal(tested.sort());
    });
  });

  describe('commands', () => {
    it('refuse bad ids and names', async () => {
      for (const path of ['/tasks/x/cancel', '/tasks/1/retry', '/types/A.b/pause']) {
        expect((await api.call(path, { method: 'POST' })).status).to.equal(400);
      }
    });
  });

  describe('addresses', () => {
    it('that are not there answer 404', async () => {
      for (const path of [
        '/',
        '/task',
        '/tasks/',
        '/Tasks',
        '/tasks//x',
        '/admin',
        `/tasks/${anId}/x`,
        '/..%2f',
        '/favicon.ico',
      ]) {
        const { status, json } = await api.call(path);
        expect([status, json.type], path).to.deep.equal([404, 'urn:taskflow:problem:not-found']);
      }
    });

    it('that cannot be decoded answer 400', async () => {
      expect((await api.call('/tasks/%zz')).status).to.equal(400);
    });

    it('answer 405 to other methods, and say which they take', async () => {
      for (const [method, path, allow] of [
        ['DELETE', '/tasks', 'GET, HEAD, POST'],
        ['PUT', `/tasks/${anId}`, 'GET, HEAD'],
        ['OPTIONS', '/tasks/batch', 'POST'],
        ['PATCH', '/healthz', 'GET, HEAD'],
      ] as const) {
        const { status, json, headers } = await api.call(path, { method });
        expect([status, json.type]).to.deep.equal([405, 'urn:taskflow:problem:method-not-allowed']);
        expect(headers.get('allow')?.split(', ').sort().join(', ')).to.equal(allow);
      }
    });

    it('answer HEAD as GET, without a body', async () => {
      const { status, text, headers } = await api.call('/types', { method: 'HEAD' });
      expect([status, text]).to.deep.equal([200, '']);
      expect(Number(headers.get('content-length'))).to.be.greaterThan(2);
    });

    it('take no query that they do not know', async () => {
      const { status, json } = await api.call('/types?x=1');
      expect([status, json.errors]).to.deep.equal([400, [{ path: 'x', message: 'is not a known parameter' }]]);
    });
  });

  describe('every answer', () => {
    it('is safe in a browser, and says nothing of what made it', async () => {
      for (const path of ['/tasks', '/nowhere', '/docs', '/types', '/tasks/x']) {
        const { headers } = await api.call(path);
        expect(headers.get('x-content-type-options'), path).to.equal('nosniff');
        expect(headers.get('content-security-policy'), path).to.match(/^default-src 'none';/);
        expect(headers.get('cache-control')).to.equal('no-store');
        for (const name of ['x-powered-by', 'server', 'etag']) expect(headers.get(name)).to.equal(null);
      }
    });

    it('has the id of its request: the caller’s where that is a plain word', async () => {
      const asked = await api.call('/types', { headers: { 'x-request-id': 'abc-1.2_3' } });
      expect(asked.headers.get('x-request-id')).to.equal('abc-1.2_3');
      const made = new Set<string | null>();
      for (const id of ['a b', '<x>', 'x'.repeat(65), '']) {
        const { headers, json } = await api.call('/tasks/x', { headers: { 'x-request-id': id } });
        expect(headers.get('x-request-id'))
          .to.match(/^[\w-]{10,}$/)
          .and.not.equal(id);
        expect(json.requestId).to.equal(headers.get('x-request-id'));
        made.add(json.requestId);
      }
      expect(made.size).to.equal(4);
    });
  });

  it('shows the types as their workers published them', async () => {
    const { json } = await api.call('/types');
    expect(json.items.map(({ name }: { name: string }) => name)).to.deep.equal([api.types.any, api.types.page]);
    expect(json.items[1]).to.deep.include({
      runtime: 'typescript',
      version: 1,
      paused: false,
      resultSchema: {},
      defaults: {
        priority: 'normal',
        timeoutMs: 30_000,
        retry: { maxAttempts: 3, backoff: { baseMs: 1_000, factor: 2, capMs: 300_000 }, notRetryable: ['HTTP_STATUS'] },
      },
    });
    expect(json.items[1].payloadSchema.required).to.deep.equal(['url']);
  });

  it('counts requests by the pattern of their address', async () => {
    await api.call(`/tasks/${anId}x`);
    await api.call(`/nowhere/${anId}`);
    await api.call('/tasks', { body: { type: api.types.any, payload: {} } });
    const { text, headers } = await api.call('/metrics');
    expect(headers.get('content-type')).to.match(/^text\/plain/);
    expect(text).to.match(/taskflow_http_request_seconds_count\{[^}]*route="\/tasks\/\{id\}"[^}]*status="400"\} 1/);
    expect(text).to.match(/taskflow_http_request_seconds_count\{[^}]*route="none"[^}]*status="404"\}/);
    expect(text).to.include(`taskflow_tasks_accepted_total{type="${api.types.any}",priority="normal"} 1`);
    expect(text).not.to.include(anId);
  });

  it('is ready, with everything that it stands on', async () => {
    const { json } = await api.call('/readyz');
    expect(json).to.deep.equal({
      status: 'ready',
      checks: Object.fromEntries(
        ['log', 'types', 'postgres', 'mongo', 'redis', 'blobs'].map((name) => [name, { state: 'ok' }]),
      ),
    });
  });

  it('is not ready before the types are there that it is to expect', async () => {
    const other = await startTestApi({ beside: api, expectTypes: ({ any }) => [any, 'file_hash', 'img_compress'] });
    try {
      const { status, json } = await other.call('/readyz');
      expect([status, json.status]).to.deep.equal([503, 'not-ready']);
      expect(json.checks.types).to.deep.equal({
        state: 'failing',
        reason: 'no worker has published file_hash, img_compress yet',
      });
    } finally {
      await other.close();
    }
  });

  it('ends a request whose body never comes without harm to others', async () => {
    const socket = net.connect(api.server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(
      `POST /tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accounts.ann.key}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"type"',
    );
    socket.destroy();
    expect((await api.call('/healthz')).status).to.equal(200);
  });
});
