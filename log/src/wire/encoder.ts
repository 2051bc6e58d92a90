const initialSize = 256;

/**
 * Writes a Kafka request (https://kafka.apache.org/protocol#protocol_types). "Compact" forms, tagged fields and unsigned
 * variable-length integers belong to the flexible versions of KIP-482.
 *
 * Bytes handed to `records` and `compactRecords` are not copied: `parts()` gives the request as a list of buffers for one
 * gathered write, so they must not change until the request is answered.
 */
export class Encoder {
  #buffer = Buffer.allocUnsafe(initialSize);
  #start = 0;
  #offset = 0;
  readonly #parts: Buffer[] = [];
  #partsSize = 0;

  /** Bytes written so far. */
  get size(): number {
    return this.#partsSize + this.#offset - this.#start;
  }

  /** The request as it goes to the socket, in order. */
  parts(): readonly Buffer[] {
    this.#cut();
    return this.#parts;
  }

  /** The request as one buffer. */
  toBuffer(): Buffer {
    return Buffer.concat(this.parts());
  }

  int8(value: number): this {
    this.#room(1);
    this.#offset = this.#buffer.writeInt8(value, this.#offset);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    this.#room(2);
    this.#offset = this.#buffer.writeInt16BE(value, this.#offset);
    return this;
  }

  int32(value: number): this {
    this.#room(4);
    this.#offset = this.#buffer.writeInt32BE(value, this.#offset);
    return this;
  }

  /** A 64-bit integer from a safe JavaScript integer: offsets and times never reach 2⁵³. */
  int64(value: number): this {
    this.#room(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#buffer.writeInt32BE(high, this.#offset);
    this.#buffer.writeUInt32BE(value - high * 0x1_0000_0000, this.#offset + 4);
    this.#offset += 8;
    return this;
  }

  unsignedVarint(value: number): this {
    this.#room(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#buffer[this.#offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#offset++] = rest;
    return this;
  }

  /** Sixteen bytes, as topic ids are. */
  uuid(value: Buffer): this {
    return this.raw(value);
  }

  raw(value: Buffer): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#offset);
    this.#offset += value.length;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    return this.int16(Buffer.byteLength(value)).#text(value);
  }

  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    return this.unsignedVarint(Buffer.byteLength(value) + 1).#text(value);
  }

  compactBytes(value: Buffer | null): this {
    if (value === null) return this.unsignedVarint(0);
    return this.unsignedVarint(value.length + 1).raw(value);
  }

  array<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.int32(items === null ? -1 : items.length);
    for (const item of items ?? []) write(item);
    return this;
  }

  compactArray<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.unsignedVarint(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) write(item);
    return this;
  }

  /** No tagged fields: the end of every structure in a flexible version. */
  noTags(): this {
    return this.unsignedVarint(0);
  }

  /** Record batches by reference. */
  compactRecords(batches: readonly Buffer[]): this {
    let size = 0;
    for (const batch of batches) size += batch.length;
    this.unsignedVarint(size + 1).#cut();
    for (const batch of batches) {
      this.#parts.push(batch);
      this.#partsSize += batch.length;
    }
    return this;
  }

  #text(value: string): this {
    const length = Buffer.byteLength(value);
    this.#room(length);
    this.#buffer.write(value, this.#offset, length, 'utf8');
    this.#offset += length;
    return this;
  }

  #cut(): void {
    if (this.#offset === this.#start) return;
    this.#parts.push(this.#buffer.subarray(this.#start, this.#offset));
    this.#partsSize += this.#offset - this.#start;
    this.#start = this.#offset;
  }

  #room(length: number): void {
    if (this.#offset + length <= this.#buffer.length) return;
    const pending = this.#offset - this.#start;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, pending + length));
    this.#buffer.copy(grown, 0, this.#start, this.#offset);
    this.#buffer = grown;
    this.#start = 0;
    this.#offset = pending;
  }
}
