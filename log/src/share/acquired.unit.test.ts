import { crc32c } from '@node-rs/crc32';
import { expect } from 'chai';
import { acknowledgementTypes } from './acknowledgements.ts';
import { acquiredRecords } from './acquired.ts';
import type { Hold } from './delivered.ts';

const hold = { topic: 'queue', partition: 0 } as Hold;
const { gap, release } = acknowledgementTypes;

/** A batch from `base` on, with a record at each of `deltas`, that covers the offsets to `base` + `lastDelta`. */
function batch(base: number, deltas: readonly number[], lastDelta = deltas.at(-1) ?? 0, attributes = 0): Buffer {
  const records = deltas.map((delta) => Buffer.from([14, 0, 0, delta * 2, 1, 2, 0x61 + delta, 0]));
  const body = Buffer.concat([Buffer.alloc(61), ...records]);
  body.writeBigInt64BE(BigInt(base), 0);
  body.writeInt32BE(body.length - 12, 8);
  body[16] = 2;
  body.writeInt16BE(attributes, 21);
  body.writeInt32BE(lastDelta, 23);
  body.writeInt32BE(deltas.length, 57);
  body.writeUInt32BE(crc32c(body.subarray(21)), 17);
  return body;
}

function offsets(data: Buffer, ...acquired: [first: number, last: number, deliveryCount: number][]) {
  const ranges = acquired.map(([first, last, deliveryCount]) => ({ first, last, deliveryCount }));
  const { records, vacant, unreadable } = acquiredRecords(data, ranges, hold, 99);
  return { records: records.map(({ offset, delivery }) => [offset, delivery]), vacant, unreadable };
}

describe('acquired records', () => {
  it('picks the acquired ones out of whole batches, each with its delivery count', () => {
    const data = Buffer.concat([batch(10, [0, 1, 2, 3]), batch(14, [0, 1])]);
    expect(offsets(data, [11, 12, 1], [14, 14, 3])).to.deep.equal({
      records: [
        [11, 1],
        [12, 1],
        [14, 3],
      ],
      vacant: [],
      unreadable: undefined,
    });
  });

  it('takes ranges in any order', () => {
    expect(offsets(batch(0, [0, 1, 2, 3]), [3, 3, 2], [0, 1, 1]).records).to.deep.equal([
      [0, 1],
      [1, 1],
      [3, 2],
    ]);
  });

  it('finds gaps: between records, after the last, and in control batches', () => {
    const control = batch(4, [0], 0, 0x20);
    const data = Buffer.concat([batch(0, [0, 2], 3), control, batch(5, [0])]);
    expect(offsets(data, [0, 5, 1])).to.deep.equal({
      records: [
        [0, 1],
        [2, 1],
        [5, 1],
      ],
      vacant: [
        { first: 1, last: 1, type: gap },
        { first: 3, last: 4, type: gap },
      ],
      unreadable: undefined,
    });
  });

  it('releases what lies behind a batch that was cut off', () => {
    const data = Buffer.concat([batch(0, [0, 1]), batch(2, [0, 1]).subarray(0, 40)]);
    expect(offsets(data, [0, 3, 1])).to.deep.equal({
      records: [
        [0, 1],
        [1, 1],
      ],
      vacant: [{ first: 2, last: 3, type: release }],
      unreadable: undefined,
    });
  });

  it('releases everything when no batch is whole', () => {
    expect(offsets(Buffer.alloc(0), [7, 8, 1]).vacant).to.deep.equal([{ first: 7, last: 8, type: release }]);
  });

  it('keeps the records before a batch that cannot be read, and leaves the rest locked', () => {
    const spoiled = batch(2, [0, 1]);
    spoiled[70] = spoiled[70]! ^ 1;
    const { records, vacant, unreadable } = offsets(Buffer.concat([batch(0, [0, 1]), spoiled]), [0, 3, 1]);
    expect(records).to.deep.equal([
      [0, 1],
      [1, 1],
    ]);
    expect(vacant).to.deep.equal([]);
    expect(unreadable).to.be.instanceOf(Error);
  });
});
