import { expect } from 'chai';
import { arrayParameter } from './postgresArrays.ts';

describe('arrayParameter', () => {
  it('lays out header, lengths and values as PostgreSQL sends arrays', () => {
    expect(arrayParameter('int4', [1, null, -1]).toString('hex')).to.equal(
      [
        '00000001',
        '00000001',
        '00000017',
        '00000003',
        '00000001',
        '00000004',
        '00000001',
        'ffffffff',
        '00000004',
        'ffffffff',
      ].join(''),
    );
  });

  it('says that an empty array has no dimension', () => {
    expect(arrayParameter('text', []).toString('hex')).to.equal(['00000000', '00000000', '00000019'].join(''));
  });

  it('refuses what is no UUID and no safe integer', () => {
    expect(() => arrayParameter('uuid', ['00000000-0000-4000-8000-00000000000g'])).to.throw(RangeError, 'not a UUID');
    expect(() => arrayParameter('uuid', ['00000000-0000-4000-8000-0000000000'])).to.throw(RangeError, 'not a UUID');
    expect(() => arrayParameter('int8', [2 ** 53])).to.throw(RangeError, 'safe integer');
  });
});
