import { expect } from 'chai';
import fc from 'fast-check';
import { storedJson } from './jsonDocument.ts';

describe('storedJson', () => {
  it('gives a document where there can be one', () => {
    expect(storedJson('{"title":"Ä","list":[1,{"a":[true,null]}],"":0}')).to.deep.equal({
      value: { title: 'Ä', list: [1, { a: [true, null] }], '': 0 },
    });
    expect(storedJson('7')).to.deep.equal({ value: 7 });
    expect(storedJson('null')).to.deep.equal({ value: null });
  });

  for (const json of [
    '{"$a":1}',
    '{"a":{"b.c":1}}',
    '[[1]]',
    '{"a":"\\u0000"}',
    '{"a\\u0000":1}',
    '{"__proto__":1}',
    'no JSON',
  ]) {
    it(`keeps ${json} as text`, () => {
      expect(storedJson(json)).to.deep.equal({ value: null, json });
    });
  }

  it('keeps deep nesting as text, without recursing to its end', () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    expect(storedJson(deep).json).to.equal(deep);
  });

  it('loses nothing of any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { value, json } = storedJson(text);
        expect(json === undefined ? value : JSON.parse(json)).to.deep.equal(JSON.parse(text));
      }),
    );
  });
});
