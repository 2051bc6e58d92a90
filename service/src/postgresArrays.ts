/**
 * Arrays as statement parameters in PostgreSQL's binary format, for `insert … select … from` rows made of them: no text is
 * built here and none is parsed there, which halves what a batch costs.
 */

/** How values of a column are given: a UUID's text, a safe integer, a number, milliseconds since 1970, text, a boolean, a transaction's number. */
export type ElementType = 'uuid' | 'int4' | 'int8' | 'float8' | 'timestamptz' | 'text' | 'boolean' | 'xid';

type Value = string | number | boolean | null;

interface Encoding {
  readonly oid: number;
  /** Bytes that most values take. */
  readonly usual: number;
  /** Most bytes that this value takes. */
  room(value: never): number;
  /** Writes the value at `at` and returns its length. */
  write(buffer: Buffer, value: never, at: number): number;
}

const HEADER_BYTES = 20;
const NULL_LENGTH = -1;
/** PostgreSQL counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const TWO_TO_32 = 2 ** 32;

const ENCODINGS: Readonly<Record<ElementType, Encoding>> = {
  uuid: fixed(2950, 16, writeUuid),
  int4: fixed(23, 4, (buffer, value: number, at) => buffer.writeInt32BE(value, at)),
  int8: fixed(20, 8, writeInt8),
  float8: fixed(701, 8, (buffer, value: number, at) => buffer.writeDoubleBE(value, at)),
  timestamptz: fixed(1184, 8, writeTimestamptz),
  xid: fixed(28, 4, (buffer, value: number, at) => buffer.writeUInt32BE(value, at)),
  boolean: fixed(16, 1, (buffer, value: boolean, at) => buffer.writeUInt8(value ? 1 : 0, at)),
  text: {
    oid: 25,
    usual: 64,
    room: (value: string) => value.length * 3,
    // PostgreSQL's text holds every character but U+0000; a log may hold that too, and must not stop a view.
    write: (buffer: Buffer, value: string, at: number) =>
      buffer.write(value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value, at),
  },
};

/**
 * What stands behind `from` where the parameters from `$1` on are the columns of rows: a table of the name `row`.
 *
 * `unnest` of many arrays, as a table, stores each column away row by row and reads it back before the first row is given. In the
 * list of a `select` arrays are stepped through together: a sixth less for a batch of rows to insert (docs/decisions/0147).
 */
export function rowsOf(columns: Readonly<Record<string, ElementType>>): string {
  const values = Object.entries(columns).map(([name, type], index) => `unnest($${index + 1}::${type}[]) as ${name}`);
  return `(select ${values.join(', ')}) as row`;
}

/** One parameter: the values as a binary array of the type. Give it as `$n::type[]`. */
export function arrayParameter(type: ElementType, values: readonly Value[]): Buffer {
  return columnParameter(type, values, (value) => value);
}

/** The same for one value of each item. (No iterator and no list of the values in between: they were a fifth of what a projector allocated.) */
export function columnParameter<T>(type: ElementType, items: readonly T[], of: (item: T) => Value): Buffer {
  const { oid, room, write, usual } = ENCODINGS[type];
  const count = items.length;
  let buffer: Buffer = Buffer.allocUnsafe(HEADER_BYTES + count * (4 + usual));
  let nulls = 0;
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    const value = of(items[index]!);
    const bound = at + 4 + (value === null ? 0 : room(value as never));
    if (bound > buffer.length) buffer = grown(buffer, at, bound);
    if (value === null) {
      nulls += 1;
      at = buffer.writeInt32BE(NULL_LENGTH, at);
    } else {
      const length = write(buffer, value as never, at + 4);
      buffer.writeInt32BE(length, at);
      at += 4 + length;
    }
  }
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0); // dimensions
  buffer.writeInt32BE(nulls > 0 ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  if (count === 0) return buffer.subarray(0, 12);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16); // lower bound
  return buffer.subarray(0, at);
}

function grown(buffer: Buffer, used: number, bound: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(bound, 2 * buffer.length));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function fixed<T>(oid: number, bytes: number, write: (buffer: Buffer, value: T, at: number) => unknown): Encoding {
  return {
    oid,
    usual: bytes,
    room: () => bytes,
    write(buffer: Buffer, value: never, at: number) {
      write(buffer, value, at);
      return bytes;
    },
  };
}

// Two halves, since a BigInt for each value would be garbage.
function writeInt8(buffer: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
  buffer.writeInt32BE(Math.floor(value / TWO_TO_32), at);
  buffer.writeUInt32BE(value - Math.floor(value / TWO_TO_32) * TWO_TO_32, at + 4);
}

function writeTimestamptz(buffer: Buffer, ms: number, at: number): void {
  const microseconds = Math.round((ms - POSTGRES_EPOCH_MS) * 1000);
  if (Number.isSafeInteger(microseconds)) writeInt8(buffer, microseconds, at);
  else buffer.writeBigInt64BE(BigInt(Math.round(ms - POSTGRES_EPOCH_MS)) * 1000n, at); // after the year 2285
}

const HEX_DIGITS: Int8Array = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  HEX_DIGITS[text.charCodeAt(0)] = digit;
  HEX_DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

function writeUuid(buffer: Buffer, uuid: string, at: number): void {
  let read = 0;
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) read += 1; // the hyphen
    const high = HEX_DIGITS[uuid.charCodeAt(read)];
    const low = HEX_DIGITS[uuid.charCodeAt(read + 1)];
    if (high === undefined || low === undefined || high < 0 || low < 0 || uuid.length !== 36) {
      throw new RangeError(`${JSON.stringify(uuid)} is not a UUID`);
    }
    buffer[at + index] = high * 16 + low;
    read += 2;
  }
}
