import { runTask } from '@taskflow/workers/testing';
import { expect } from 'chai';
import noop from './task.ts';

describe('noop', () => {
  const failure = (payload: Parameters<typeof runTask<typeof noop.payload, typeof noop.result>>[1], attempt: number) =>
    runTask(noop, payload, { attempt }).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('gives its echo, null without', async () => {
    expect(await runTask(noop, {})).to.equal(null);
    expect(await runTask(noop, { echo: [1, { a: null }] })).to.deep.equal([1, { a: null }]);
    expect(await runTask(noop, { echo: false, sleepMs: 1 })).to.equal(false);
  });
  it('fails as asked', async () => {
    expect(await failure({ fail: 'HTTP_STATUS' }, 7)).to.include({ code: 'HTTP_STATUS', retryable: true });
    expect(await failure({ fail: 'MINE', failTimes: 2, sleepMs: 1 }, 2)).to.include({ code: 'MINE' });
    expect(await failure({ fail: 'MINE', failTimes: 2 }, 3)).to.equal(undefined);
  });
  it('wakes when its attempt ends', async () => {
    const signal = AbortSignal.abort(new Error('over'));
    const error = await runTask(noop, { sleepMs: 60_000 }, { signal }).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('name', 'AbortError');
  });
});
