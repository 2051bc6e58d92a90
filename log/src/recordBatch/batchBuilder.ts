import { crc32c } from '@node-rs/crc32';
import type { Headers } from './decodeRecordBatches.ts';
import { headerSize, layout, lengthOverhead, magicV2 } from './layout.ts';

const initialCapacity = 4 * 1024;
const maxSequence = 0x8000_0000;

/** The producer a batch is written by (KIP-98), and the number of its first record in that producer's order. */
export interface BatchSequence {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Sequence numbers start again at 0 after 2³¹ − 1. */
export function addSequence(sequence: number, records: number): number {
  return (sequence + records) % maxSequence;
}

/**
 * Builds one record batch (message format v2), record by record, uncompressed, in a buffer that is kept when it is reset.
 * A sealed batch may be sealed again for another producer; its bytes must not be in use then.
 */
export class BatchBuilder {
  #buffer = Buffer.allocUnsafe(initialCapacity);
  #size = headerSize;
  #count = 0;
  #createdAt = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch as it is now, its header included. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that it holds. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** When its first record was added. */
  get createdAt(): number {
    return this.#createdAt;
  }

  reset(): void {
    this.#size = headerSize;
    this.#count = 0;
  }

  /** Bytes that the batch would have with one record more. */
  sizeWith(key: string | Buffer | null, value: Buffer | null, headers?: Headers): number {
    const body = this.#bodySize(key === null ? -1 : byteLength(key), value === null ? -1 : value.length, headers);
    return this.#size + varintSize(body) + body;
  }

  /** Adds a record, unless the batch would be larger than `limit` with it: then it gives false, and changes nothing. */
  tryAdd(key: string | Buffer | null, value: Buffer | null, headers: Headers | undefined, limit: number): boolean {
    const keyLength = key === null ? -1 : byteLength(key);
    const valueLength = value === null ? -1 : value.length;
    const body = this.#bodySize(keyLength, valueLength, headers);
    const size = this.#size + varintSize(body) + body;
    if (size > limit) return false;
    if (this.#count === 0) this.#createdAt = Date.now();
    this.#reserve(size);
    this.#varint(body);
    this.#buffer[this.#size++] = 0;
    this.#buffer[this.#size++] = 0;
    this.#varint(this.#count);
    this.#varint(keyLength);
    if (typeof key === 'string') this.#text(key);
    else if (key !== null) this.#bytes(key);
    this.#varint(valueLength);
    if (value !== null) this.#bytes(value);
    if (headers) this.#headers(headers);
    else this.#buffer[this.#size++] = 0;
    this.#count++;
    return true;
  }

  /** The finished batch, a view of this builder's buffer. */
  seal({ producerId, producerEpoch, baseSequence }: BatchSequence): Buffer {
    const buffer = this.#buffer;
    writeInt64(buffer, 0, layout.baseOffset);
    buffer.writeInt32BE(this.#size - lengthOverhead, layout.length);
    buffer.writeInt32BE(-1, layout.partitionLeaderEpoch);
    buffer[layout.magic] = magicV2;
    buffer.writeInt16BE(0, layout.attributes);
    buffer.writeInt32BE(this.#count - 1, layout.lastOffsetDelta);
    writeInt64(buffer, this.#createdAt, layout.baseTimestamp);
    writeInt64(buffer, this.#createdAt, layout.maxTimestamp);
    writeInt64(buffer, producerId, layout.producerId);
    buffer.writeInt16BE(producerEpoch, layout.producerEpoch);
    buffer.writeInt32BE(baseSequence, layout.baseSequence);
    buffer.writeInt32BE(this.#count, layout.recordCount);
    buffer.writeUInt32BE(crc32c(buffer.subarray(layout.attributes, this.#size)), layout.checksum);
    return buffer.subarray(0, this.#size);
  }

  #bodySize(keyLength: number, valueLength: number, headers: Headers | undefined): number {
    const attributesAndTimestampDelta = 2;
    return (
      attributesAndTimestampDelta +
      varintSize(this.#count) +
      varintSize(keyLength) +
      Math.max(keyLength, 0) +
      varintSize(valueLength) +
      Math.max(valueLength, 0) +
      (headers ? headersSize(headers) : 1)
    );
  }

  #headers(headers: Headers): void {
    const names = Object.keys(headers);
    this.#varint(names.length);
    for (const name of names) {
      const value = headers[name]!;
      this.#varint(Buffer.byteLength(name));
      this.#text(name);
      this.#varint(Buffer.byteLength(value));
      this.#text(value);
    }
  }

  #text(value: string): void {
    this.#size += this.#buffer.write(value, this.#size, 'utf8');
  }

  #bytes(value: Buffer): void {
    this.#buffer.set(value, this.#size);
    this.#size += value.length;
  }

  #varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.#buffer[this.#size++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#size++] = rest;
  }

  #reserve(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, needed));
    this.#buffer.copy(grown, 0, 0, this.#size);
    this.#buffer = grown;
  }
}

function byteLength(value: string | Buffer): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

function headersSize(headers: Headers): number {
  const names = Object.keys(headers);
  let size = varintSize(names.length);
  for (const name of names) {
    const nameLength = Buffer.byteLength(name);
    const valueLength = Buffer.byteLength(headers[name]!);
    size += varintSize(nameLength) + nameLength + varintSize(valueLength) + valueLength;
  }
  return size;
}

function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 1 << 7) return 1;
  if (zigzag < 1 << 14) return 2;
  if (zigzag < 1 << 21) return 3;
  return zigzag < 1 << 28 ? 4 : 5;
}

function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}
