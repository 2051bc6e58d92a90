import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAllowList } from '@taskflow/workers/fetchAllow';
import { createSafeFetch } from '@taskflow/workers/safeFetch';
import { TaskError } from '@taskflow/workers/taskError';
import { runTask } from '@taskflow/workers/testing';
import { expect } from 'chai';
import httpRequest from './task.ts';

/** What the server of these tests answers, by path. */
const answers: Record<string, [status: number, headers: Record<string, string>, body: string | Buffer]> = {
  '/problem': [404, { 'content-type': 'application/problem+json' }, '{"title":"gone"}'],
  '/text': [200, { 'content-type': 'text/plain; charset=iso-8859-1' }, Buffer.from('caf\xe9', 'latin1')],
  '/bytes': [200, { 'content-type': 'application/octet-stream' }, Buffer.from([0, 255])],
  '/none': [204, {}, ''],
  '/untyped': [200, {}, 'plain'],
  '/not-json': [200, { 'content-type': 'application/json' }, '{"cut":'],
  '/deep': [200, { 'content-type': 'application/json' }, `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  '/bom': [200, { 'content-type': 'application/json' }, '\ufeff{"a":1}'],
  '/large': [200, { 'content-type': 'text/plain' }, 'x'.repeat(5 * 1024 * 1024 + 1)],
  '/redirect': [302, { location: '/text' }, ''],
  '/unavailable': [503, {}, ''],
};

describe('http_request', () => {
  let server: Server;
  let origin: string;
  before(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method, headers } = request;
        const echo = JSON.stringify({ method, headers, body: Buffer.concat(parts).toString() });
        const [status, extra, body] = answers[request.url!] ?? [
          200,
          { 'content-type': 'application/json', 'set-cookie': 'session=secret', etag: '"1"' },
          echo,
        ];
        response.writeHead(status, extra).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const fetch = createSafeFetch({ allow: parseAllowList('127.0.0.1') });
  const call = (
    path: string,
    payload: Omit<Parameters<typeof runTask<typeof httpRequest.payload, typeof httpRequest.result>>[1], 'url'> = {},
  ) => runTask(httpRequest, { url: origin + path, ...payload }, { fetch });
  const failure = async (work: Promise<unknown>) => {
    const error = await work.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TaskError);
    return error as TaskError;
  };
  const seen = (result: { body?: unknown }) =>
    result.body as { method: string; headers: Record<string, string>; body: string };

  it('sends JSON and reads JSON', async () => {
    const result = await call('/', {
      method: 'POST',
      json: { a: [1] },
      headers: { 'X-One': '1', Authorization: 'Bearer t' },
    });
    expect(seen(result)).to.include({ method: 'POST', body: '{"a":[1]}' });
    expect(seen(result).headers).to.include({
      'content-type': 'application/json',
      'x-one': '1',
      authorization: 'Bearer t',
      'idempotency-key': '01890000-0000-7000-8000-000000000001.0',
    });
    expect(result).to.include({ status: 200, bodyType: 'json', redirects: 0, url: `${origin}/` });
  });

  it('shows none of the response headers that may be secret', async () => {
    const { headers } = await call('/');
    expect(headers).to.include({ etag: '"1"', 'content-type': 'application/json' });
    expect(headers).to.not.have.property('set-cookie');
  });

  it('sends text, and the headers that the payload gives', async () => {
    expect(seen(await call('/', { method: 'PUT', text: 'hello' })).headers['content-type']).to.equal(
      'text/plain; charset=utf-8',
    );
    const own = await call('/', {
      method: 'POST',
      text: '<a/>',
      headers: { 'Content-Type': 'text/xml', 'Idempotency-Key': 'mine' },
    });
    expect(seen(own).headers).to.include({ 'content-type': 'text/xml', 'idempotency-key': 'mine' });
  });

  it('sends JSON null as a body', async () =>
    expect(seen(await call('/', { method: 'POST', json: null })).body).to.equal('null'));

  const bodies: [path: string, bodyType: string, body: unknown][] = [
    ['/text', 'text', 'café'],
    ['/bytes', 'base64', 'AP8='],
    ['/none', 'empty', null],
    ['/untyped', 'text', 'plain'],
    ['/not-json', 'text', '{"cut":'],
    ['/redirect', 'text', 'café'],
  ];
  for (const [path, bodyType, body] of bodies) {
    it(`reads ${path} as ${bodyType}`, async () => expect(await call(path)).to.deep.include({ bodyType, body }));
  }
  it('reads JSON after a byte order mark', async () => expect((await call('/bom')).body).to.deep.equal({ a: 1 }));
  it('keeps JSON that nests too deep as text', async () =>
    expect(await call('/deep')).to.include({ bodyType: 'text' }));

  it('fails on a status that was not expected', async () => {
    expect(await failure(call('/problem'))).to.deep.include({
      code: 'HTTP_STATUS',
      retryable: false,
      details: { status: 404 },
    });
    expect(await failure(call('/unavailable'))).to.include({ code: 'HTTP_STATUS', retryable: true });
    expect(await failure(call('/text', { expectStatus: 201 }))).to.include({ code: 'HTTP_STATUS' });
  });
  it('succeeds on the status that was expected, redirects included', async () => {
    expect(await call('/problem', { expectStatus: [404, 410] })).to.deep.include({
      status: 404,
      body: { title: 'gone' },
    });
    const redirect = await call('/redirect', { expectStatus: 302 });
    expect(redirect).to.include({ status: 302, bodyType: 'empty', redirects: 0 });
    expect(redirect.headers).to.include({ location: '/text' });
  });
  it('refuses a body that is too large', async () => {
    expect(await failure(call('/large'))).to.include({ code: 'BODY_TOO_LARGE', retryable: false });
  });
  it('says ADDRESS_NOT_ALLOWED where nothing is opened', async () => {
    const closed = createSafeFetch({ allow: parseAllowList('') });
    expect(await failure(runTask(httpRequest, { url: origin }, { fetch: closed }))).to.include({
      code: 'ADDRESS_NOT_ALLOWED',
    });
  });
});
