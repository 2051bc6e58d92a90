import { expect } from 'chai';
import fc from 'fast-check';
import { MalformedResponseError } from '../errors.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';
import { FrameSplitter } from './frames.ts';
import { InFlight } from './inFlight.ts';
import { decodeResponse, encodeRequest, type Request, type Response } from './request.ts';

describe('encoder and decoder', () => {
  it('read back what they wrote', () => {
    const integer = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
    fc.assert(
      fc.property(
        integer(8),
        integer(16),
        integer(32),
        fc.maxSafeInteger(),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
        fc.array(integer(32)),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (int8, int16, int32, int64, unsigned, text, list, id) => {
          const bytes = text === null ? null : Buffer.from(text);
          const encoder = new Encoder();
          encoder.int8(int8).boolean(true).int16(int16).int32(int32).int64(int64).unsignedVarint(unsigned);
          encoder.string(text).compactString(text).compactBytes(bytes).uuid(Buffer.from(id)).noTags();
          encoder.array(list, (item) => encoder.int32(item)).compactArray(list, (item) => encoder.int32(item));
          expect(encoder.size).to.equal(encoder.toBuffer().length);
          const decoder = new Decoder(encoder.toBuffer());
          expect([decoder.int8(), decoder.boolean(), decoder.int16(), decoder.int32()]).to.deep.equal([
            int8,
            true,
            int16,
            int32,
          ]);
          expect([decoder.int64(), decoder.unsignedVarint()]).to.deep.equal([int64, unsigned]);
          expect([decoder.string(), decoder.compactString()]).to.deep.equal([text, text]);
          expect(decoder.compactBytes()).to.deep.equal(bytes);
          expect([...decoder.uuid()]).to.deep.equal([...id]);
          decoder.tags();
          expect(decoder.array(() => decoder.int32())).to.deep.equal(list);
          expect(decoder.compactArray(() => decoder.int32())).to.deep.equal(list);
          expect(decoder.remaining).to.equal(0);
        },
      ),
    );
  });

  it('pass tagged fields that they do not know', () => {
    const field = new Encoder().unsignedVarint(2).unsignedVarint(0).unsignedVarint(3).raw(Buffer.from('abc'));
    field.unsignedVarint(7).unsignedVarint(1).int8(42).int32(99);
    const seen: number[] = [];
    const decoder = new Decoder(field.toBuffer());
    decoder.tags((tag, value) => {
      if (tag === 7) seen.push(value.int8());
    });
    expect(seen).to.deep.equal([42]);
    expect(decoder.int32()).to.equal(99);
  });

  it('hand on record batches without copying them', () => {
    const batch = Buffer.alloc(5_000, 1);
    const encoder = new Encoder().int32(1).compactRecords([batch]).int32(2);
    const parts = encoder.parts();
    expect(parts[1]).to.equal(batch);
    expect(encoder.size).to.equal(4 + 2 + 5_000 + 4);
    const decoder = new Decoder(Buffer.concat(parts));
    decoder.int32();
    expect(decoder.compactBytes()?.equals(batch)).to.equal(true);
    expect(decoder.int32()).to.equal(2);
  });

  it('never read past the end, whatever comes', () => {
    const reads: ((decoder: Decoder) => unknown)[] = [
      (decoder) => decoder.int64(),
      (decoder) => decoder.string(),
      (decoder) => decoder.compactString(),
      (decoder) => decoder.compactBytes(),
      (decoder) => decoder.unsignedVarint(),
      (decoder) => decoder.tags(),
      (decoder) => decoder.array(() => decoder.int32()),
      (decoder) => decoder.compactArray(() => decoder.compactString()),
    ];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(reads.length - 1), { maxLength: 10 }),
        (bytes, order) => {
          const decoder = new Decoder(Buffer.from(bytes));
          try {
            for (const index of order) reads[index]!(decoder);
            expect(decoder.remaining).to.be.at.least(0);
          } catch (error) {
            expect(error).to.be.instanceOf(MalformedResponseError);
          }
        },
      ),
    );
  });
});

describe('requests', () => {
  const request = (flexible: boolean, flexibleResponse?: boolean): Request<Response & { value: number }> => ({
    apiKey: 18,
    apiVersion: 3,
    name: 'Test',
    flexible,
    ...(flexibleResponse === undefined ? {} : { flexibleResponse }),
    encode: (encoder) => encoder.int32(7),
    decode: (decoder) => ({ throttleTimeMs: 0, value: decoder.int32() }),
  });
  const encoded = (flexible: boolean) => Buffer.concat(encodeRequest(request(flexible), 0x01020304, 'me'));

  it('have the header of their version', () => {
    expect(encoded(false).toString('hex')).to.equal('00000010' + '00120003' + '01020304' + '00026d65' + '00000007');
    expect(encoded(true).toString('hex')).to.equal(
      '00000011' + '00120003' + '01020304' + '00026d65' + '00' + '00000007',
    );
  });

  it('read answers with and without tagged fields in the header', () => {
    const plain = Buffer.from('00000009', 'hex');
    const tagged = Buffer.from('0000000009', 'hex');
    expect(decodeResponse(request(false), plain).value).to.equal(9);
    expect(decodeResponse(request(true), tagged).value).to.equal(9);
    expect(decodeResponse(request(true, false), plain).value).to.equal(9);
  });
});

describe('frames', () => {
  const framed = (payloads: readonly Uint8Array[]) =>
    Buffer.concat(
      payloads.flatMap((payload) => {
        const length = Buffer.alloc(4);
        length.writeInt32BE(payload.length);
        return [length, Buffer.from(payload)];
      }),
    );

  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 4, maxLength: 60 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (payloads, cuts) => {
          const stream = framed(payloads);
          const splitter = new FrameSplitter(1_000);
          const frames: string[] = [];
          let at = 0;
          for (let i = 0; at < stream.length; i++) {
            const next = at + cuts[i % cuts.length]!;
            splitter.push(stream.subarray(at, next), (frame) => frames.push(frame.toString('hex')));
            at = next;
          }
          expect(frames).to.deep.equal(payloads.map((payload) => Buffer.from(payload).toString('hex')));
        },
      ),
    );
  });

  it('of an impossible length are refused at once', () => {
    for (const nonsense of ['HTTP/1.1 400 Bad Request', '\xff\xff\xff\xff....', '\x00\x00\x00\x01x...']) {
      const splitter = new FrameSplitter(1_000_000);
      expect(() => splitter.push(Buffer.from(nonsense, 'latin1'), () => {})).to.throw(
        MalformedResponseError,
        'Kafka listener',
      );
    }
  });
});

describe('requests in flight', () => {
  it('may take longer by the time that a broker reads nothing', async () => {
    const overdue: string[] = [];
    let done: () => void = () => {};
    const second = new Promise<void>((resolve) => {
      done = resolve;
    });
    const inFlight = new InFlight(
      0,
      (name, timeoutMs) => {
        overdue.push(`${name} ${timeoutMs}`);
        if (overdue.length === 2) done();
      },
      () => {},
    );
    for (const [id, timeoutMs] of [5, 100_000].entries())
      void inFlight.add(id, `postponed ${id}`, timeoutMs).catch(() => {});
    inFlight.postpone(30);
    void inFlight.add(2, 'later', 20).catch(() => {});
    await second;
    expect(overdue).to.deep.equal(['later 20', 'postponed 0 35']);
    inFlight.failAll(new Error('the end'));
  });
});
