import { expect } from 'chai';
import fc from 'fast-check';
import { isUuid, uuidv5, uuidv7 } from './ids.ts';

describe('uuidv7', () => {
  it('is a UUID of version 7 and variant 10', () => {
    for (let i = 0; i < 10_000; i++)
      expect(uuidv7()).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('begins with the milliseconds', () => {
    const later = Date.now() + 3_600_000;
    expect(Number.parseInt(uuidv7(later).replaceAll('-', '').slice(0, 12), 16)).to.equal(later);
  });

  it('ascends strictly, whatever the clock does', () => {
    const start = Date.now();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { minLength: 2, maxLength: 200 }), (steps) => {
        const ids = steps.map((step) => uuidv7(start + step));
        expect(ids).to.deep.equal(ids.toSorted());
        expect(new Set(ids).size).to.equal(ids.length);
      }),
    );
  });

  it('ascends strictly beyond 4,096 ids in one millisecond', () => {
    const now = Date.now() + 10_000_000;
    const ids = Array.from({ length: 10_000 }, () => uuidv7(now));
    expect(ids).to.deep.equal(ids.toSorted());
    expect(new Set(ids).size).to.equal(ids.length);
  });
});

describe('uuidv5', () => {
  it('gives the UUID that RFC 9562 gives for a name', () => {
    expect(uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).to.equal(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('refuses a namespace that is no UUID', () => {
    expect(() => uuidv5('dns', 'www.example.com')).to.throw(TypeError, '"dns"');
  });
});

describe('isUuid', () => {
  it('takes 36 lower-case characters and nothing else', () => {
    expect(isUuid(uuidv7())).to.equal(true);
    for (const text of [
      '',
      'x',
      uuidv7().toUpperCase(),
      `{${uuidv7()}}`,
      `${uuidv7()}0`,
      uuidv7().replaceAll('-', ''),
    ]) {
      expect(isUuid(text), text).to.equal(false);
    }
  });
});
