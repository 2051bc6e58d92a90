import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { type BlobStore, createBlobStore, type PutOptions } from './blobStore.ts';
import type { BlobError } from './blobStoreError.ts';
import { createTestBlobStore, type TestBlobStore } from './testing/testBlobStore.ts';

const ann = '11111111-1111-4111-8111-111111111111';
const bob = '22222222-2222-4222-8222-222222222222';
const DAY_MS = 86_400_000;
const MEGABYTE = 1_048_576;

describe('the blob store', () => {
  let test: TestBlobStore;
  let store: BlobStore;
  before(async () => {
    test = await createTestBlobStore();
    store = test.store;
  });
  after(() => test.close());

  async function* pieces(...parts: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      if (part instanceof Error) throw part;
      yield part;
    }
  }
  const options = (more: Partial<PutOptions> = {}): PutOptions => {
    const id = randomUUID();
    return { userId: ann, id, contentType: 'image/png', keepDays: 7, maxBytes: 100 * MEGABYTE, ...more };
  };
  const problemOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: BlobError) => error.problem ?? error,
    );
  it('keeps bytes with size, type and checksum, small ones and those of several parts', async () => {
    for (const size of [0, 1, 70_000, 12 * MEGABYTE + 3]) {
      const bytes = randomBytes(size);
      const given = options();
      const blob = await store.put(pieces(bytes.subarray(0, size / 3), bytes.subarray(size / 3)), given);
      expect(blob).to.include({ size, contentType: 'image/png' });
      expect(blob.sha256).to.equal(createHash('sha256').update(bytes).digest('hex'));
      expect(blob.ref).to.equal(`${new Date(blob.expiresAt).toISOString().slice(0, 10)}/${ann}/${given.id}`);
      expect(blob.expiresAt - Date.now()).to.be.within(7 * DAY_MS - 60_000, 8 * DAY_MS);
      const opened = await store.open(blob.ref, { userId: ann });
      expect(opened).to.include({ size, contentType: 'image/png' });
      expect((await buffer(opened.stream)).equals(bytes)).to.equal(true);
    }
  });

  it('gives a part of a blob', async () => {
    const { ref } = await store.put(pieces(Buffer.from('0123456789')), options());
    const opened = await store.open(ref, { userId: ann, range: { first: 3, last: 5 } });
    expect([opened.size, (await buffer(opened.stream)).toString()]).to.deep.equal([3, '345']);
  });

  it('has nothing for another user, nor under a name that is none or that it does not know', async () => {
    const { ref } = await store.put(pieces(Buffer.from('ours')), options());
    expect(await problemOf(store.open(ref, { userId: bob }))).to.equal('not-found');
    expect(await problemOf(store.open(ref.replace(ann, bob), { userId: bob }))).to.equal('not-found');
    expect(await problemOf(store.open(`${ref}/../../..`, { userId: ann }))).to.equal('not-found');
    expect(await problemOf(store.open(ref.replace(/^[^/]+/, '2020-01-01'), { userId: ann }))).to.equal('not-found');
    const [day] = ref.split('/');
    expect(await problemOf(store.open(`${day}/${ann}/${randomUUID()}`, { userId: ann }))).to.equal('not-found');
  });

  for (const size of [1_000, 11 * MEGABYTE]) {
    it(`keeps nothing of an upload of ${size} bytes that is too long, breaks off, or is given up`, async () => {
      const before = await test.held();
      expect(await problemOf(store.put(pieces(Buffer.alloc(size)), options({ maxBytes: size - 1 })))).to.equal(
        'too-large',
      );
      const cut = new Error('cut off');
      expect(await problemOf(store.put(pieces(Buffer.alloc(size), cut), options()))).to.equal(cut);
      const given = new AbortController();
      const reason = new Error('given up');
      async function* givingUp() {
        yield Buffer.alloc(size);
        given.abort(reason);
        yield Buffer.alloc(size);
      }
      expect(await problemOf(store.put(givingUp(), options({ signal: given.signal })))).to.equal(reason);
      expect(await test.held()).to.deep.equal(before);
    });
  }

  it('says so where the store is away', async () => {
    const away = createBlobStore({ ...test.config, s3Url: 'http://127.0.0.1:9' });
    expect(await problemOf(away.ask())).to.equal('unavailable');
    for (const size of [1_000, 11 * MEGABYTE]) {
      expect(await problemOf(away.put(pieces(Buffer.alloc(size)), options()))).to.equal('unavailable');
    }
    const { ref } = await store.put(pieces(Buffer.from('some')), options());
    expect(await problemOf(away.open(ref, { userId: ann }))).to.equal('unavailable');
    const stranger = createBlobStore({ ...test.config, s3SecretKey: 'guess' });
    expect(await problemOf(stranger.open(ref, { userId: ann }))).to.equal('unavailable');
  });

  it('sweeps the days that are over, and nothing else', async () => {
    const kept = await store.put(pieces(Buffer.from('kept')), options({ keepDays: 30 }));
    const over = await store.put(pieces(Buffer.from('over')), options({ keepDays: 20 }));
    const foreign = '2020-01-32/thing';
    await test.place(foreign);
    // Nothing before its time, with an hour of grace.
    expect(await store.sweep(Date.now())).to.include({ expired: 0 });
    const before = await test.held();
    const { expired } = await store.sweep(over.expiresAt + 3_600_000);
    const after = await test.held();
    expect(after).to.include(kept.ref).and.to.include(foreign).and.not.to.include(over.ref);
    expect(expired).to.equal(before.length - after.length);
    expect(await problemOf(store.open(over.ref, { userId: ann }))).to.equal('not-found');
  });

  it('sweeps what a killed process has left of an upload', async () => {
    const stored = Promise.withResolvers<void>();
    async function* stalled() {
      yield Buffer.alloc(6 * MEGABYTE);
      // More is asked for once the first part has been stored: one still under way would come after its upload was aborted.
      stored.resolve();
      await new Promise<never>(() => {});
    }
    const before = await test.held();
    store.put(stalled(), options()).catch(stored.reject);
    await stored.promise;
    expect(await test.held()).to.have.length(before.length + 1);
    expect(await store.sweep(Date.now())).to.include({ abandoned: 0 });
    expect(await store.sweep(Date.now() + 2 * DAY_MS)).to.include({ abandoned: 1 });
    expect(await test.held()).to.deep.equal(before);
  });
});
