import { expect } from 'chai';
import { authenticateByKeys } from './principal.ts';
import { Problem } from './problem.ts';

const principal = { userId: '00000000-0000-4000-8000-000000000001', role: 'admin' } as const;
const other = { userId: '00000000-0000-4000-8000-000000000002', role: 'user' } as const;
const authenticate = authenticateByKeys([
  { key: 'first-key', principal },
  { key: 'other-key', principal: other },
]);

describe('authentication by keys', () => {
  it('finds the principal of a key', () => {
    expect(authenticate('Bearer first-key')).to.equal(principal);
    expect(authenticate('bearer other-key')).to.equal(other);
  });

  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer first-ke',
    'Bearer first-key2',
    'Bearer first-kez',
    'Basic first-key',
    'first-key',
    'Bearer first-key other-key',
  ]) {
    it(`refuses ${JSON.stringify(header)}`, () => {
      expect(() => authenticate(header))
        .to.throw(Problem)
        .that.includes({ kind: 'unauthorized', status: 401 });
    });
  }
});
