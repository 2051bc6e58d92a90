import zlib from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { expect } from 'chai';
import fc from 'fast-check';
import { CorruptBatchError, UnsupportedCompressionError } from '../errors.ts';
import { addSequence, BatchBuilder } from './batchBuilder.ts';
import { decodeRecordBatches, type Headers } from './decodeRecordBatches.ts';
import { controlBit, headerSize, layout, lengthOverhead, logAppendTimeBit } from './layout.ts';

interface TestRecord {
  key: string | null;
  value: Buffer | null;
  headers?: Headers;
}

const producer = { producerId: 4711, producerEpoch: 3, baseSequence: 10 };

function build(records: readonly TestRecord[], baseOffset = 0): Buffer {
  const builder = new BatchBuilder();
  for (const { key, value, headers } of records)
    expect(builder.tryAdd(key, value, headers, Number.POSITIVE_INFINITY)).to.equal(true);
  const batch = Buffer.from(builder.seal(producer));
  batch.writeBigInt64BE(BigInt(baseOffset), layout.baseOffset);
  return batch;
}

function read(data: Buffer) {
  const records: { offset: number; key: string | null; value: string | null; timestamp: number; headers?: Headers }[] =
    [];
  const result = decodeRecordBatches(data, (offset, key, value, timestamp, _epoch, headers) => {
    records.push({
      offset,
      key: key?.toString() ?? null,
      value: value?.toString('hex') ?? null,
      timestamp,
      ...(headers ? { headers } : {}),
    });
  });
  return { ...result, records };
}

/** Changes a built batch and makes its checksum right again. */
function altered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  change(copy);
  copy.writeUInt32BE(crc32c(copy.subarray(layout.attributes)), layout.checksum);
  return copy;
}

function compressed(batch: Buffer, codec: number, compress: (data: Buffer) => Buffer): Buffer {
  const records = compress(batch.subarray(headerSize));
  return altered(Buffer.concat([batch.subarray(0, headerSize), records]), (copy) => {
    copy.writeInt32BE(copy.length - lengthOverhead, layout.length);
    copy.writeInt16BE(codec, layout.attributes);
  });
}

describe('record batches', () => {
  it('has the check value of CRC-32C', () => {
    expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283);
    expect(crc32c(Buffer.alloc(0))).to.equal(0);
  });

  it('reads back what it wrote, whatever that is', () => {
    const record = fc.record(
      {
        key: fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
        value: fc.option(
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
          { nil: null },
        ),
        headers: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), {
          minKeys: 1,
          maxKeys: 4,
          noNullPrototype: true,
        }),
      },
      { requiredKeys: ['key', 'value'] },
    );
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 200 }), fc.nat(2 ** 40), (records, baseOffset) => {
        const { records: decoded, nextOffset } = read(build(records as TestRecord[], baseOffset));
        expect(nextOffset).to.equal(baseOffset + records.length);
        expect(decoded.map(({ timestamp: _, ...rest }) => rest)).to.deep.equal(
          records.map(({ key, value, headers }, i) => ({
            offset: baseOffset + i,
            key,
            value: value?.toString('hex') ?? null,
            ...(headers && Object.keys(headers).length > 0 ? { headers } : {}),
          })),
        );
      }),
    );
  });

  it('takes records up to the limit to the byte, and stays whole when it refuses one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { minLength: 2, maxLength: 150 }), (lengths) => {
        const full = new BatchBuilder();
        for (const length of lengths) full.tryAdd('key', Buffer.alloc(length), undefined, Number.POSITIVE_INFINITY);
        const limited = new BatchBuilder();
        const last = lengths.at(-1)!;
        for (const length of lengths.slice(0, -1)) limited.tryAdd('key', Buffer.alloc(length), undefined, full.size);
        const before = Buffer.from(limited.seal(producer));
        expect(limited.tryAdd('key', Buffer.alloc(last), undefined, full.size - 1)).to.equal(false);
        expect(limited.seal(producer).equals(before)).to.equal(true);
        expect(limited.tryAdd('key', Buffer.alloc(last), undefined, full.size)).to.equal(true);
        expect(limited.size).to.equal(full.size);
      }),
    );
  });

  it('stops before a batch that is cut off, wherever that is', () => {
    const whole = build([{ key: 'a', value: Buffer.from('1') }], 5);
    const next = build([{ key: 'b', value: Buffer.from('2') }], 6);
    for (let cut = 0; cut < next.length; cut++) {
      const { records, nextOffset, batches } = read(Buffer.concat([whole, next.subarray(0, cut)]));
      expect([records.length, nextOffset, batches]).to.deep.equal([1, 6, 1]);
    }
  });

  it('passes gaps between batches and within them', () => {
    const kept = altered(
      build(
        [
          { key: 'a', value: null },
          { key: 'b', value: null },
        ],
        100,
      ),
      (batch) => {
        batch.writeInt32BE(41, layout.lastOffsetDelta);
      },
    );
    const { records, nextOffset } = read(Buffer.concat([kept, build([{ key: 'c', value: null }], 200)]));
    expect(records.map((record) => record.offset)).to.deep.equal([100, 101, 200]);
    expect(nextOffset).to.equal(201);
    expect(read(kept).nextOffset).to.equal(142);
  });

  it('passes control batches, and counts their offsets', () => {
    const control = altered(build([{ key: 'x', value: null }], 7), (batch) => {
      batch.writeInt16BE(controlBit, layout.attributes);
    });
    const { records, nextOffset } = read(control);
    expect(records).to.deep.equal([]);
    expect(nextOffset).to.equal(8);
  });

  it('gives the time of the append where the broker stamps it', () => {
    const stamped = altered(build([{ key: 'x', value: null }]), (batch) => {
      batch.writeInt16BE(logAppendTimeBit, layout.attributes);
      batch.writeBigInt64BE(1_764_000_000_123n, layout.maxTimestamp);
    });
    expect(read(stamped).records[0]?.timestamp).to.equal(1_764_000_000_123);
  });

  it('reads time stamps that differ by more than 32 bits, in both directions', () => {
    for (const delta of [0n, -1n, 63n, 64n, -65n, 2n ** 31n, -(2n ** 40n)]) {
      const batch = build([{ key: null, value: null }]);
      const zigzag = BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n));
      const bytes: number[] = [];
      for (let rest = zigzag; ; rest >>= 7n) {
        if (rest < 128n) {
          bytes.push(Number(rest));
          break;
        }
        bytes.push(Number(rest & 127n) | 128);
      }
      const body = Buffer.from([0, ...bytes, 0, 1, 1, 0]);
      const widened = altered(
        Buffer.concat([batch.subarray(0, headerSize), Buffer.from([body.length << 1]), body]),
        (copy) => {
          copy.writeInt32BE(copy.length - lengthOverhead, layout.length);
          copy.writeBigInt64BE(1_700_000_000_000n, layout.baseTimestamp);
        },
      );
      expect(read(widened).records[0]?.timestamp).to.equal(Number(1_700_000_000_000n + delta));
    }
  });

  it('reads gzip and zstd', () => {
    const batch = build([{ key: 'k', value: Buffer.alloc(5_000, 7) }], 3);
    const plain = read(batch).records;
    expect(read(compressed(batch, 1, zlib.gzipSync)).records).to.deep.equal(plain);
    expect(read(compressed(batch, 4, zlib.zstdCompressSync)).records).to.deep.equal(plain);
  });

  it('refuses snappy and lz4 by name, and names the batch of broken compression', () => {
    const batch = build([{ key: 'k', value: Buffer.from('v') }], 9);
    const asIs = (data: Buffer) => data;
    expect(() => read(compressed(batch, 2, asIs))).to.throw(UnsupportedCompressionError, 'snappy');
    expect(() => read(compressed(batch, 3, asIs))).to.throw(UnsupportedCompressionError, 'lz4');
    expect(() => read(compressed(batch, 1, asIs))).to.throw(CorruptBatchError, 'offset 9');
  });

  it('notices each byte that was changed after the checksum', () => {
    const batch = build([{ key: 'key', value: Buffer.from('value') }], 12);
    for (let at = layout.magic; at < batch.length; at++) {
      const damaged = Buffer.from(batch);
      damaged[at] = damaged[at]! ^ 0x10;
      expect(() => read(damaged), `byte ${at}`).to.throw(CorruptBatchError, 'offset 12');
    }
  });

  it('never reads outside a batch, whatever its records say', () => {
    const batch = build([{ key: 'key', value: Buffer.from('value') }]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (bytes, count) => {
        const garbage = altered(Buffer.concat([batch.subarray(0, headerSize), bytes]), (copy) => {
          copy.writeInt32BE(copy.length - lengthOverhead, layout.length);
          copy.writeInt32BE(count, layout.recordCount);
        });
        try {
          for (const { value } of read(garbage).records) expect((value?.length ?? 0) / 2).to.be.at.most(bytes.length);
        } catch (error) {
          expect(error).to.be.instanceOf(CorruptBatchError);
        }
      }),
    );
  });

  it('lets an error of the reader pass as it is', () => {
    const own = new RangeError('mine');
    expect(() =>
      decodeRecordBatches(build([{ key: 'k', value: null }]), () => {
        throw own;
      }),
    ).to.throw(own as Error);
  });

  it('can be sealed again for another producer', () => {
    const builder = new BatchBuilder();
    builder.tryAdd('k', Buffer.from('v'), undefined, 1_000);
    builder.seal(producer);
    const again = builder.seal({ producerId: 9, producerEpoch: 0, baseSequence: 0 });
    expect(read(again).records).to.have.length(1);
    expect(again.readBigInt64BE(layout.producerId)).to.equal(9n);
  });

  it('numbers on after the largest sequence as the broker does', () => {
    expect(addSequence(0x7fff_ffff, 1)).to.equal(0);
    expect(addSequence(0x7fff_fffe, 5)).to.equal(3);
    expect(addSequence(7, 5)).to.equal(12);
  });
});
