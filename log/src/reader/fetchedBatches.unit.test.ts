import { expect } from 'chai';
import { CorruptBatchError } from '../errors.ts';
import { BatchBuilder } from '../recordBatch/batchBuilder.ts';
import { checkBatches, FetchedRecords } from './fetchedBatches.ts';

/** A batch of records whose values say their offsets. */
function batch(baseOffset: number, count: number): Buffer {
  const builder = new BatchBuilder();
  for (let i = 0; i < count; i++) {
    builder.tryAdd(null, Buffer.from(String(baseOffset + i)), undefined, Number.POSITIVE_INFINITY);
  }
  const bytes = Buffer.from(builder.seal({ producerId: 1, producerEpoch: 0, baseSequence: 0 }));
  bytes.writeBigInt64BE(BigInt(baseOffset)); // as the broker does, outside what the checksum is of
  return bytes;
}

describe('what was fetched of a partition', () => {
  const place = { topic: 't', partition: 3 };

  it('is checked to the end of its last whole batch, and read later, from the offset that was due', () => {
    const fetched = Buffer.concat([batch(10, 3), batch(20, 2), batch(22, 5).subarray(0, 40)]);
    const { bytes, last, unreadable } = checkBatches(fetched);
    expect(last).to.include({ nextOffset: 22 });
    expect(unreadable).to.equal(undefined);
    const records = new FetchedRecords(place, 12, 22, bytes);
    expect(
      records.read().map(({ topic, partition, offset, value }) => [topic, partition, offset, String(value)]),
    ).to.deep.equal([
      ['t', 3, 12, '12'],
      ['t', 3, 20, '20'],
      ['t', 3, 21, '21'],
    ]);
    expect(records).to.include({ nextOffset: 22, bytes: batch(10, 3).length + batch(20, 2).length });
  });

  it('ends before a batch that was damaged', () => {
    const [sound, damaged] = [batch(10, 3), batch(13, 2)];
    damaged[damaged.length - 1] = damaged[damaged.length - 1]! ^ 1;
    const { bytes, last, unreadable } = checkBatches(Buffer.concat([sound, damaged, batch(15, 1)]));
    expect(bytes.equals(sound)).to.equal(true);
    expect(last).to.include({ nextOffset: 13 });
    expect(unreadable).to.be.instanceOf(CorruptBatchError).with.property('message').that.includes('offset 13');
    expect(checkBatches(damaged)).to.include({ last: undefined });
  });
});
