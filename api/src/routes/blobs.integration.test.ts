import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createTestBlobStore, type TestBlobStore } from '@taskflow/service/testing/testBlobStore';
import { expect } from 'chai';
import { cuttable } from '../testing/cuttable.ts';
import { queued, started, succeeded } from '../testing/events.ts';
import { accounts, MAX_BLOB_BYTES, startTestApi, type TestApi } from '../testing/testApi.ts';
import { ViewWriter } from '../testing/viewWriter.ts';

const { ann, bob, admin } = accounts;

describe('blobs', () => {
  let api: TestApi;
  let view: ViewWriter;
  let bucket: TestBlobStore;
  before(async () => {
    bucket = await createTestBlobStore();
    api = await startTestApi({ s3Bucket: bucket.config.s3Bucket });
    view = new ViewWriter(api.pool, api.redis.client);
  });
  after(async () => {
    bucket?.close();
    await api?.close();
  });

  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const upload = (body: Uint8Array | string, headers: Record<string, string> = {}, key?: string) =>
    api.call('/blobs', {
      method: 'POST',
      body,
      headers: { 'content-type': 'image/png', ...headers },
      ...(key && { key }),
    });
  /** What the store holds, finished or not. */
  const held = () => bucket.held();

  /** How many uploads have been answered with 400, whether or not anybody heard the answer. */
  const refused = async (): Promise<number> => {
    const name = 'taskflow_http_request_seconds_count{method="POST",route="/blobs",status="400"}';
    const { text } = await api.call('/metrics', { key: null });
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')[1] ?? 0,
    );
  };

  describe('POST /blobs', () => {
    for (const size of [1, 100_000, 7_000_000]) {
      it(`stores ${size} bytes, which only their owner can open`, async () => {
        const bytes = randomBytes(size);
        const { status, json } = await upload(bytes);
        expect(status).to.equal(201);
        expect(json).to.include({ size, contentType: 'image/png', sha256: sha256(bytes) });
        expect(Date.parse(json.expiresAt)).to.be.greaterThan(Date.now() + 7 * 86_400_000 - 60_000);
        const opened = await api.blobs.open(json.ref, { userId: ann.principal.userId });
        expect((await buffer(opened.stream)).equals(bytes)).to.equal(true);
        const stolen = await api.blobs.open(json.ref, { userId: bob.principal.userId }).catch((error: Error) => error);
        expect(stolen).to.have.property('problem', 'not-found');
      });
    }

    it('takes bytes of no stated type or length, in pieces', async () => {
      const request = http.request(`${api.url}/blobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.key}`, 'transfer-encoding': 'chunked' },
      });
      for (const piece of ['one', 'two', 'three']) request.write(piece);
      request.end();
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const json = JSON.parse((await buffer(response)).toString());
      expect([response.statusCode, json.size, json.contentType]).to.deep.equal([201, 11, 'application/octet-stream']);
    });

    it('keeps parameters of the media type', async () => {
      const { json } = await upload('a,b', { 'content-type': 'text/csv; charset="utf-8"; header=absent' });
      expect(json.contentType).to.equal('text/csv; charset="utf-8"; header=absent');
    });

    it('refuses an empty body', async () => {
      for (const headers of [{ 'content-length': '0' }, { 'transfer-encoding': 'chunked' }]) {
        const request = http.request(`${api.url}/blobs`, {
          method: 'POST',
          headers: { authorization: `Bearer ${ann.key}`, ...headers },
        });
        request.end();
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        const json = JSON.parse((await buffer(response)).toString());
        expect([response.statusCode, json.type]).to.deep.equal([400, 'urn:taskflow:problem:invalid-request']);
      }
    });

    it('refuses a media type that is none, and an encoded body', async () => {
      const wrong = await upload('bytes', { 'content-type': 'picture' });
      expect([wrong.status, wrong.json.errors[0].path]).to.deep.equal([400, 'content-type']);
      expect((await upload('bytes', { 'content-encoding': 'gzip' })).status).to.equal(415);
    });

    it('wants a key before any byte', async () => {
      const before = await held();
      const { status } = await api.call('/blobs', { method: 'POST', body: 'bytes', key: null });
      expect([status, await held()]).to.deep.equal([401, before]);
    });

    it('refuses what is too large, by its head or when it turns out so, and keeps nothing of it', async () => {
      const before = await held();
      const byHead = await upload(Buffer.alloc(MAX_BLOB_BYTES + 1));
      expect([byHead.status, byHead.json.maxBytes]).to.deep.equal([413, MAX_BLOB_BYTES]);
      const request = http.request(`${api.url}/blobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.key}`, 'transfer-encoding': 'chunked' },
      });
      request.on('error', () => {}); // the server closes the connection after its answer
      for (let sent = 0; sent <= MAX_BLOB_BYTES; sent += 1_000_000) request.write(Buffer.alloc(1_000_000));
      request.end();
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      expect(response.statusCode).to.equal(413);
      response.resume();
      expect((await upload(Buffer.alloc(MAX_BLOB_BYTES))).status).to.equal(201);
      expect((await held()).length).to.equal(before.length + 1);
    });

    for (const sent of [0, 1_000, 6_000_000]) {
      it(`keeps nothing of an upload that breaks off after ${sent} bytes`, async () => {
        const [before, refusedBefore] = [await held(), await refused()];
        const { port } = new URL(api.url);
        const head = `POST /blobs HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${ann.key}\r\nContent-Length: 7000000\r\n\r\n`;
        await Promise.all(
          Array.from({ length: 12 }, async () => {
            const socket = net.connect(Number(port), '127.0.0.1');
            await new Promise((resolve) =>
              socket.write(Buffer.concat([Buffer.from(head), Buffer.alloc(sent)]), resolve),
            );
            socket.destroy();
          }),
        );
        while ((await refused()) < refusedBefore + 12) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await held()).to.deep.equal(before);
      });
    }

    it('answers many at once, more than it takes in at a time', async () => {
      const all = await Promise.all(Array.from({ length: 40 }, (_, n) => upload(Buffer.alloc(100_000, n))));
      expect(all.map(({ status }) => status)).to.deep.equal(Array.from({ length: 40 }, () => 201));
      expect(new Set(all.map(({ json }) => json.ref)).size).to.equal(40);
    });
  });

  describe('GET /tasks/{id}/result of a result in the blob store', () => {
    const shown = async (
      bytes: Uint8Array,
      contentType: string,
      more: { expiresAt?: number; ref?: string; value?: string } = {},
    ) => {
      const { userId } = ann.principal;
      const stored = await api.blobs.put(
        (async function* () {
          yield bytes;
        })(),
        { userId, id: randomUUID(), contentType, keepDays: 30, maxBytes: 1e9 },
      );
      const task = queued({ userId, type: api.types.any, occurredAt: Date.now() });
      const { ref, size, sha256: sum } = { ...stored, ...more };
      const ttlMs = (more.expiresAt ?? stored.expiresAt) - (task.occurredAt + 20);
      const result = { storage: 's3', value: more.value ?? null, ref, size, contentType, sha256: sum, ttlMs };
      await view.show([task, started(task), succeeded(task, result)]);
      return { path: `/tasks/${task.taskId}/result`, task, stored };
    };
    const raw = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      fetch(`${api.url}${path}`, { method, headers: { authorization: `Bearer ${ann.key}`, ...headers } });

    it('streams it with type, length and checksum', async () => {
      const bytes = randomBytes(9_000_000);
      const { path, stored } = await shown(bytes, 'image/webp');
      const response = await raw(path);
      expect(response.status).to.equal(200);
      expect(Object.fromEntries(response.headers)).to.include({
        'content-type': 'image/webp',
        'content-length': '9000000',
        etag: `"${stored.sha256}"`,
        'repr-digest': `sha-256=:${Buffer.from(stored.sha256, 'hex').toString('base64')}:`,
        'accept-ranges': 'bytes',
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
      });
      expect(sha256(new Uint8Array(await response.arrayBuffer()))).to.equal(stored.sha256);
    });

    it('streams a large JSON document as JSON', async () => {
      const document = { lines: Array.from({ length: 20_000 }, (_, n) => `line ${n}`) };
      const { path } = await shown(Buffer.from(JSON.stringify(document)), 'application/json');
      const { status, json } = await api.call(path);
      expect([status, json]).to.deep.equal([200, document]);
    });

    it('gives the range that is asked for', async () => {
      const { path, stored } = await shown(Buffer.from('0123456789'), 'text/plain');
      const response = await raw(path, { range: 'bytes=2-4' });
      expect([response.status, response.headers.get('content-range'), await response.text()]).to.deep.equal([
        206,
        'bytes 2-4/10',
        '234',
      ]);
      const unchanged = await raw(path, { range: 'bytes=-1', 'if-range': `"${stored.sha256}"` });
      expect([unchanged.status, await unchanged.text()]).to.deep.equal([206, '9']);
      const changed = await raw(path, { range: 'bytes=-1', 'if-range': '"another"' });
      expect([changed.status, await changed.text()]).to.deep.equal([200, '0123456789']);
      const beyond = await api.call(path, { headers: { range: 'bytes=10-' } });
      expect([beyond.status, beyond.headers.get('content-range')]).to.deep.equal([416, 'bytes */10']);
    });

    it('answers HEAD without the bytes', async () => {
      const { path } = await shown(Buffer.from('0123456789'), 'text/plain');
      const response = await raw(path, {}, 'HEAD');
      expect([response.status, response.headers.get('content-length'), await response.text()]).to.deep.equal([
        200,
        '10',
        '',
      ]);
    });

    it('describes a file by figures, and nothing else by them', async () => {
      const file = await shown(Buffer.from('file'), 'image/webp', { value: '{"ratio":0.5}' });
      const { status, json } = await api.call(`${file.path}/figures`);
      expect([status, json]).to.deep.equal([200, { ratio: 0.5 }]);
      expect((await api.call(`${file.path}/figures`, { key: bob.key })).status).to.equal(404);
      const document = await shown(Buffer.from('{}'), 'application/json');
      const waiting = queued({ userId: ann.principal.userId, type: api.types.any });
      await view.show([waiting]);
      for (const path of [document.path, `/tasks/${waiting.taskId}/result`]) {
        expect((await api.call(`${path}/figures`)).status).to.equal(409);
      }
    });

    it('is for the owner and administrators', async () => {
      const { path } = await shown(Buffer.from('ours'), 'text/plain');
      expect((await api.call(path, { key: bob.key })).status).to.equal(404);
      expect((await api.call(path, { key: admin.key })).text).to.equal('ours');
    });

    it('answers 410 after its time, and where the store has it no more', async () => {
      const over = await shown(Buffer.from('over'), 'text/plain', { expiresAt: Date.now() - 1 });
      const swept = await shown(Buffer.from('swept'), 'text/plain', {
        ref: `2100-01-01/${ann.principal.userId}/${randomUUID()}`,
      });
      for (const { path } of [over, swept]) {
        const { status, json } = await api.call(path);
        expect([status, json.type]).to.deep.equal([410, 'urn:taskflow:problem:result-expired']);
      }
    });

    it('stops reading when the client goes', async () => {
      const { path } = await shown(randomBytes(9_000_000), 'image/webp');
      const leaving = new AbortController();
      const response = await fetch(`${api.url}${path}`, {
        headers: { authorization: `Bearer ${ann.key}` },
        signal: leaving.signal,
      });
      await response.body?.getReader().read();
      leaving.abort();
      expect((await raw(path)).status).to.equal(200);
    });
  });

  it('answers 503 while the store is away, and goes on when it is back', async () => {
    const way = await cuttable('TASKFLOW_S3_URL');
    const beside = await startTestApi({ beside: api, s3Url: way.url, s3Bucket: bucket.config.s3Bucket });
    try {
      const options = { method: 'POST', body: 'bytes', headers: { 'content-type': 'text/plain' } };
      const { json } = await beside.call('/blobs', options);
      const task = queued({ userId: ann.principal.userId, type: api.types.any, occurredAt: Date.now() });
      const { ref, sha256: sum } = json;
      const result = { storage: 's3', value: null, ref, size: 5, contentType: 'text/plain', sha256: sum };
      await view.show([task, started(task), succeeded(task, result)]);
      await way.cut();
      for (const away of [await beside.call('/blobs', options), await beside.call(`/tasks/${task.taskId}/result`)]) {
        expect([away.status, away.json.type]).to.deep.equal([503, 'urn:taskflow:problem:store-unavailable']);
        expect(away.headers.get('retry-after')).to.equal('5');
      }
      const large = await beside.call('/blobs', { ...options, body: Buffer.alloc(MAX_BLOB_BYTES) });
      expect(large.status).to.equal(503);
      const ready = await beside.call('/readyz', { key: null });
      expect([ready.status, ready.json.checks.blobs.state]).to.deep.equal([200, 'degraded']);
      await way.mend();
      expect((await beside.call('/blobs', options)).status).to.equal(201);
      expect((await beside.call(`/tasks/${task.taskId}/result`)).text).to.equal('bytes');
    } finally {
      await beside.close();
      await way.close();
    }
  });
});
