import { expect } from 'chai';
import { expiredError } from './expiry.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

const { task } = queuedEvent();
const expiresAt = Date.UTC(2026, 0, 1);

describe('expiredError', () => {
  it('is none where the task has no expiresAt', () => {
    expect(expiredError(task, Number.MAX_SAFE_INTEGER)).to.equal(undefined);
  });

  it('is none before expiresAt, and EXPIRED from then on', () => {
    expect(expiredError({ ...task, expiresAt }, expiresAt - 1)).to.equal(undefined);
    expect(expiredError({ ...task, expiresAt }, expiresAt)).to.include({ code: 'EXPIRED', retryable: false });
  });
});
