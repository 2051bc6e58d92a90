import { expect } from 'chai';
import { compilePayloadCheck, UnusableSchemaError } from './payloadChecks.ts';

const check = compilePayloadCheck(
  JSON.stringify({
    type: 'object',
    properties: {
      url: { type: 'string', pattern: '^[hH][tT][tT][pP][sS]?://' },
      method: { enum: ['GET', 'POST'] },
      headers: { type: 'object', propertyNames: { maxLength: 9 }, additionalProperties: { type: 'string' } },
      list: { type: 'array', items: { type: 'integer' } },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['url'],
    additionalProperties: false,
  }),
);

describe('payload check', () => {
  it('takes what the schema takes', () => {
    expect(check({ url: 'https://example.com/', headers: { a: 'b' }, list: [1] })).to.equal(undefined);
  });

  const faults: [string, unknown, unknown][] = [
    ['a missing field by its name', {}, { at: ['url'], message: 'is required' }],
    ['an unknown field by its name', { url: 'http://a', uri: 1 }, { at: ['uri'], message: 'is not a known field' }],
    ['an element of an array', { url: 'http://a', list: [1, 'x'] }, { at: ['list', 1], message: 'must be integer' }],
    [
      'a name with a slash',
      { url: 'http://a', headers: { 'a/b~c': 1 } },
      { at: ['headers', 'a/b~c'], message: 'must be string' },
    ],
    [
      'what may be there',
      { url: 'http://a', method: 'PUT' },
      { at: ['method'], message: 'must be one of "GET", "POST"' },
    ],
    [
      'a name that is not allowed',
      { url: 'http://a', headers: { 'transfer-encoding': 'x' } },
      { at: ['headers', 'transfer-encoding'], message: 'has a name that must NOT have more than 9 characters' },
    ],
    ['a format', { url: 'http://a', at: 'today' }, { at: ['at'], message: 'must match format "date-time"' }],
    ['the payload itself', [], { at: [], message: 'must be object' }],
  ];
  for (const [what, payload, fault] of faults) {
    it(`names ${what}`, () => expect(check(payload)).to.deep.equal(fault));
  }

  it('does not take a property of the prototype for one of the payload', () => {
    const strict = compilePayloadCheck(JSON.stringify({ type: 'object', required: ['toString'] }));
    expect(strict({})).to.deep.equal({ at: ['toString'], message: 'is required' });
  });

  for (const [what, schema] of [
    ['text that is not JSON', '{'],
    ['an unknown keyword', '{"type":"object","requird":["a"]}'],
    ['an unknown format', '{"type":"string","format":"uuuid"}'],
  ] as const) {
    it(`refuses a schema with ${what}`, () => expect(() => compilePayloadCheck(schema)).to.throw(UnusableSchemaError));
  }
});
