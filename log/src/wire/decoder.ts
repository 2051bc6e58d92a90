import { MalformedResponseError } from '../errors.ts';

/**
 * Reads a Kafka response (https://kafka.apache.org/protocol#protocol_types). Byte fields are views of the response, not
 * copies. Reading past the end throws `MalformedResponseError`.
 */
export class Decoder {
  readonly #buffer: Buffer;
  #offset = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  /** A 64-bit integer as a number: offsets and times never reach 2⁵³. */
  int64(): number {
    const at = this.#take(8);
    return this.#buffer.readInt32BE(at) * 0x1_0000_0000 + this.#buffer.readUInt32BE(at + 4);
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#buffer[this.#take(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedResponseError('a variable-length integer is longer than five bytes');
  }

  uuid(): Buffer {
    return this.raw(16);
  }

  raw(length: number): Buffer {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#text(length);
  }

  compactString(): string | null {
    const length = this.unsignedVarint();
    return length === 0 ? null : this.#text(length - 1);
  }

  compactBytes(): Buffer | null {
    const length = this.unsignedVarint();
    return length === 0 ? null : this.raw(length - 1);
  }

  /** A null array reads as an empty one: nothing here tells them apart. */
  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  /** A null array reads as an empty one: nothing here tells them apart. */
  compactArray<T>(read: () => T): T[] {
    return this.#items(this.unsignedVarint() - 1, read);
  }

  /** Passes the tagged fields of a structure, handing those of interest to `onTag`. */
  tags(onTag?: (tag: number, field: Decoder) => void): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      const tag = this.unsignedVarint();
      const field = this.raw(this.unsignedVarint());
      onTag?.(tag, new Decoder(field));
    }
  }

  #items<T>(count: number, read: () => T): T[] {
    if (count > this.remaining)
      throw new MalformedResponseError(`an array of ${count} items does not fit the response`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  #text(length: number): string {
    const at = this.#take(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  #take(length: number): number {
    const at = this.#offset;
    if (length < 0 || at + length > this.#buffer.length) {
      throw new MalformedResponseError(`${length} bytes wanted at ${at} of ${this.#buffer.length}`);
    }
    this.#offset = at + length;
    return at;
  }
}
