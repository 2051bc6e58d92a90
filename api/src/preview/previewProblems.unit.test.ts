import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { previewFailed, previewProblem } from './previewProblems.ts';

describe('the problem of a preview', () => {
  const of = (code: number | undefined, details?: string) =>
    previewProblem(Object.assign(new Error('rpc'), { code, details }), 'file_hash', 250);

  for (const [code, kind, http] of [
    [status.INVALID_ARGUMENT, 'invalid-request', 400],
    [status.UNIMPLEMENTED, 'preview-not-offered', 409],
    [status.RESOURCE_EXHAUSTED, 'too-many-previews', 429],
    [status.DEADLINE_EXCEEDED, 'preview-timeout', 504],
    [status.CANCELLED, 'preview-timeout', 504],
    [status.UNAVAILABLE, 'preview-unavailable', 503],
    [status.INTERNAL, 'preview-worker-failed', 502],
    [status.UNKNOWN, 'preview-worker-failed', 502],
    [undefined, 'preview-worker-failed', 502],
  ] as const) {
    it(`is ${kind} for ${code === undefined ? 'what is no status' : status[code]}`, () => {
      const problem = of(code, 'said');
      expect([problem.kind, problem.status]).to.deep.equal([kind, http]);
      expect(problem.message).not.to.equal('');
      if (http >= 500) expect(problem.cause).to.be.instanceOf(Error);
    });
  }

  it('says when to try again where that helps', () => {
    expect(of(status.RESOURCE_EXHAUSTED).headers).to.deep.equal({ 'Retry-After': '1' });
    expect(of(status.UNAVAILABLE).headers).to.deep.equal({ 'Retry-After': '2' });
  });

  it('names the field that the worker names', () => {
    expect(of(status.INVALID_ARGUMENT, 'payload.url: is: required').errors).to.deep.equal([
      { path: 'payload.url', message: 'is: required' },
    ]);
    expect(of(status.INVALID_ARGUMENT, 'The payload is not JSON').errors).to.deep.equal([
      { path: 'payload', message: 'The payload is not JSON' },
    ]);
  });

  it('has the code of the task that failed', () => {
    const failure = { code: 'HTTP_STATUS', message: 'The server answered 404', retryable: false };
    expect(previewFailed(failure).extensions).to.deep.equal({ error: { ...failure, details: null } });
    const { status: http, extensions } = previewFailed({ ...failure, details: '{"status":404}' });
    expect(http).to.equal(422);
    expect(extensions).to.deep.equal({ error: { ...failure, details: { status: 404 } } });
  });
});
