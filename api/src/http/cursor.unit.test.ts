import { expect } from 'chai';
import fc from 'fast-check';
import { decodeCursor, decodeOffsetCursor, encodeCursor, encodeOffsetCursor } from './cursor.ts';
import { Problem } from './problem.ts';

const anyKeyset = fc.record({ at: fc.integer({ min: 0, max: 8.64e15 }), id: fc.uuid() });

describe('cursor', () => {
  it('gives back the keyset that it was made of', () => {
    fc.assert(
      fc.property(anyKeyset, fc.string(), (keyset, filters) => {
        expect(decodeCursor(encodeCursor(keyset, filters), filters)).to.deep.equal(keyset);
      }),
    );
  });

  const cursor = encodeCursor({ at: 1_700_000_000_000, id: '01890a5d-ac96-774b-bcce-b302099a8057' }, 'type=noop');
  const refused = (text: string, filters: string) =>
    expect(() => decodeCursor(text, filters))
      .to.throw(Problem)
      .with.property('kind', 'invalid-cursor');

  it('is refused under other filters', () => refused(cursor, 'type=web_scrape'));
  it('is refused with any character changed', () => {
    for (let i = 0; i < cursor.length; i++) {
      refused(cursor.slice(0, i) + (cursor[i] === 'A' ? 'B' : 'A') + cursor.slice(i + 1), 'type=noop');
    }
  });
  it('is refused when it is any other text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => void refused(text, 'type=noop')));
    for (const text of ['', `${cursor}A`, `${cursor}=`, ` ${cursor}`, cursor.slice(1)]) refused(text, 'type=noop');
  });
  it('of an offset is none of a list of tasks, nor the other way round', () => {
    const offset = encodeOffsetCursor(7, 'type=noop');
    expect(decodeOffsetCursor(offset, 'type=noop')).to.equal(7);
    refused(offset, 'type=noop');
    expect(() => decodeOffsetCursor(cursor, 'type=noop')).to.throw(Problem);
    expect(() => decodeOffsetCursor(offset, '')).to.throw(Problem);
  });
});
