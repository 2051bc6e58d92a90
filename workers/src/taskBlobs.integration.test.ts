import { buffer } from 'node:stream/consumers';
import { createBlobStore } from '@taskflow/service/blobStore';
import { createTestBlobStore, type TestBlobStore } from '@taskflow/service/testing/testBlobStore';
import { expect } from 'chai';
import { blobTools } from './taskBlobs.ts';
import type { TaskError } from './taskError.ts';

const ann = '11111111-1111-4111-8111-111111111111';
const bob = '22222222-2222-4222-8222-222222222222';
const never = new AbortController().signal;

describe('the blob store of tasks', () => {
  let test: TestBlobStore;
  before(async () => {
    test = await createTestBlobStore();
  });
  after(() => test.close());

  const tools = (maxBytes = 1_000_000) => blobTools(test.store, { keepDays: 30, maxBytes });
  const codeOf = (promise: Promise<unknown>) =>
    promise.catch(({ code, retryable }: TaskError) => ({ code, retryable }));
  async function* pieces(...texts: string[]) {
    for (const text of texts) yield Buffer.from(text);
  }

  it('stores a file, and opens it for the tasks of its user', async () => {
    const blob = await tools().of(ann, never).store(pieces('one', 'two'), { contentType: 'text/plain' });
    const { stream, size, contentType } = await tools().of(ann, never).open(blob.ref);
    expect([String(await buffer(stream)), size, contentType]).to.deep.equal(['onetwo', 6, 'text/plain']);
    const stolen = await codeOf(tools().of(bob, never).open(blob.ref));
    expect(stolen).to.deep.equal({ code: 'BLOB_NOT_FOUND', retryable: false });
  });

  it('refuses a file that is too large', async () => {
    const refused = await codeOf(tools(5).of(ann, never).store(pieces('one', 'two'), { contentType: 'text/plain' }));
    expect(refused).to.deep.equal({ code: 'RESULT_TOO_LARGE', retryable: false });
  });

  it('says so where the store is away, and gives up waiting with the attempt', async () => {
    const away = createBlobStore({ ...test.config, s3Url: 'http://127.0.0.1:9' });
    const awayTools = blobTools(away, { keepDays: 30, maxBytes: 1_000_000 });
    const refused = await codeOf(awayTools.of(ann, never).store(pieces('one'), { contentType: 'text/plain' }));
    expect(refused).to.deep.equal({ code: 'STORE_UNAVAILABLE', retryable: true });
    const attempt = new AbortController();
    const storing = awayTools.storeResult(ann, '"large"', attempt.signal).catch((error: unknown) => error);
    attempt.abort(new Error('the attempt is over'));
    expect(await storing).to.be.instanceOf(Error);
  });

  it('waits for a store that comes back', async () => {
    let away = 2;
    const returning = blobTools(
      {
        ...test.store,
        put: (...given) => {
          if (away-- > 0) return createBlobStore({ ...test.config, s3Url: 'http://127.0.0.1:9' }).put(...given);
          return test.store.put(...given);
        },
      },
      { keepDays: 30, maxBytes: 1_000_000 },
    );
    const blob = await returning.storeResult(ann, '"large"', never);
    const { stream } = await tools().of(ann, never).open(blob.ref);
    expect(String(await buffer(stream))).to.equal('"large"');
  });
});
