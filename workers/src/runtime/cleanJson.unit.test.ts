import { expect } from 'chai';
import fc from 'fast-check';
import { cleanJson, jsonDepth } from './cleanJson.ts';

describe('cleanJson', () => {
  it('writes null for what is undefined', () => expect(cleanJson(undefined)).to.equal('null'));
  it('replaces NUL and halves of surrogate pairs, in keys too', () => {
    const text = cleanJson({ 'a\0': ['\ud800x', 'y\udc00', '😀'], __proto__: null });
    expect(JSON.parse(text)).to.deep.equal({ 'a\ufffd': ['\ufffdx', 'y\ufffd', '😀'] });
  });
  it('leaves what only looks like an escape', () => {
    expect(JSON.parse(cleanJson('\\u0000 \\ud800'))).to.equal('\\u0000 \\ud800');
  });
  it('gives what every store takes, and changes nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const parsed = JSON.stringify(JSON.parse(cleanJson(value)));
        expect(parsed).to.not.match(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/);
        const text = JSON.stringify(value);
        if (!/\\u(?:0000|d[89a-f])/.test(text)) expect(cleanJson(value)).to.equal(text);
      }),
    );
  });
});

describe('jsonDepth', () => {
  it('counts nesting, not brackets in strings', () => {
    expect(jsonDepth('1')).to.equal(0);
    expect(jsonDepth('[]')).to.equal(1);
    expect(jsonDepth('{"a":[{"b":"[[[[\\"[["}],"c":{}}')).to.equal(3);
  });
  it('agrees with a walk', () => {
    const walk = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(walk)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonDepth(JSON.stringify(value))).to.equal(walk(JSON.parse(JSON.stringify(value))));
      }),
    );
  });
});
