import type { Headers } from './decodeRecordBatches.ts';

/** Steps through the records of one batch. What it gives is overwritten by the next step; only key and value may be kept. */
export class RecordCursor {
  offsetDelta = 0;
  timestampDelta = 0;
  key: Buffer | null = null;
  value: Buffer | null = null;
  headers: Headers | undefined;
  readonly #data: Buffer;
  readonly #end: number;
  #at: number;

  constructor(data: Buffer, start = 0, end = data.length) {
    this.#data = data;
    this.#at = start;
    this.#end = end;
  }

  /** False if it has passed over a record before `fromDelta`. Throws `RangeError` where the records do not fit the batch. */
  next(fromDelta = 0): boolean {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#end) throw new RangeError(`a record of ${length} bytes does not fit its batch`);
    this.#at++;
    this.timestampDelta = this.#varlong();
    this.offsetDelta = this.#varint();
    if (this.offsetDelta < fromDelta) {
      this.#at = end;
      return false;
    }
    this.key = this.#bytes();
    this.value = this.#bytes();
    const headers = this.#varint();
    this.headers = headers > 0 ? this.#headers(headers) : undefined;
    if (this.#at > end) throw new RangeError('the fields of a record are longer than the record');
    this.#at = end;
    return true;
  }

  #headers(count: number): Headers {
    const entries: [string, string][] = [];
    for (let i = 0; i < count; i++) {
      const name = this.#bytes();
      const value = this.#bytes();
      if (name) entries.push([name.toString(), value ? value.toString() : '']);
    }
    // Unlike assignment, this makes a name like "__proto__" a property as any other.
    return Object.fromEntries(entries);
  }

  #bytes(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at = start + length;
    if (this.#at > this.#end) throw new RangeError(`a field of ${length} bytes does not fit its batch`);
    return this.#data.subarray(start, this.#at);
  }

  /** A zig-zag integer of 32 bits. */
  #varint(): number {
    const data = this.#data;
    let byte = data[this.#at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = data[this.#at++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zig-zag integer of 64 bits, small in nearly all cases. */
  #varlong(): number {
    const data = this.#data;
    const first = data[this.#at]!;
    if (first <= 0x7f) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    let value = 0n;
    let shift = 0n;
    let byte: number;
    do {
      byte = data[this.#at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    } while (byte > 0x7f && shift < 70n);
    return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
  }
}
