import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { Problem } from './testing/restClient.ts';
import { type Site, startSite } from './testing/site.ts';
import { theSystem } from './testing/theSystem.ts';

interface Preview<Result> {
  readonly result: Result;
}

interface Hashes {
  readonly size: number;
  readonly hashes: Readonly<Record<string, string>>;
}

describe('previews', () => {
  const { client } = theSystem();
  let site: Site;

  before(async () => {
    site = await startSite();
  });

  after(() => site.close());

  it('run a small task of a Go type at once, and make no task of it', async () => {
    const before = await client.get<{ items: unknown[] }>('/tasks?type=noop_go');
    const { status, body } = await client.post<Preview<unknown>>('/types/noop_go/preview', { payload: { echo: [1] } });
    expect([status, body]).to.deep.equal([200, { result: [1] }]);
    expect((await client.get('/tasks?type=noop_go')).body).to.deep.equal(before.body);
  });

  it('hash a file', async () => {
    const url = `${site.origin}/article`;
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    const payload = { url, algorithms: ['sha256', 'sha1'] };
    const { status, body } = await client.post<Preview<Hashes>>('/types/file_hash/preview', { payload });
    expect([status, body.result.size]).to.deep.equal([200, bytes.length]);
    for (const algorithm of payload.algorithms) {
      expect(body.result.hashes[algorithm]).to.equal(createHash(algorithm).update(bytes).digest('hex'));
    }
  });

  for (const [what, type, body, status, problem] of [
    ['a payload that does not fit', 'file_hash', { payload: {} }, 400, 'invalid-request'],
    ['a type that nobody knows', 'nothing', { payload: {} }, 404, 'type-not-found'],
    ['a type that runs in TypeScript', 'noop', { payload: {} }, 409, 'preview-not-offered'],
    ['a task that fails', 'noop_go', { payload: { fail: 'BROKEN' } }, 422, 'preview-failed'],
    ['a task that takes too long', 'noop_go', { payload: { sleepMs: 9_000 }, deadlineMs: 100 }, 504, 'preview-timeout'],
  ] as const) {
    it(`say what is wrong with ${what}`, async () => {
      const answer = await client.post<Problem>(`/types/${type}/preview`, body);
      expect([answer.status, answer.body.type]).to.deep.equal([status, `urn:taskflow:problem:${problem}`]);
    });
  }
});
