import avro from 'avsc';

/** What is used here of avsc's cursor over a buffer. */
interface Tap {
  /** With a method of Node.js that its types leave out: without a look at the encoding's name. */
  readonly buf: Buffer & { latin1Write(text: string, offset: number, length: number): number };
  pos: number;
  readLong(): number;
  readString(): string;
  writeLong(value: number): void;
  writeString(value: string): void;
}

/** Longer texts are hardly ever repeated. */
const maxRemembered = 64;

/**
 * A text that remembers what it read last: in a field such as the type, the priority or the user the next record mostly says
 * the same, and then that string is given again. A comparison costs half of what a new string does, and leaves no garbage. It
 * begins at the end, where ids that are made one after the other differ.
 *
 * A class for each field, since avsc freezes its primitive types and lends `_read` to resolvers: the memory is around them.
 */
function rememberedStringType(): avro.Type {
  /** Only ever ASCII, whose characters are its bytes. */
  let last = '';

  class RememberedStringType extends avro.types.StringType {
    _read(tap: Tap): string {
      const before = tap.pos;
      const length = tap.readLong();
      if (length === last.length && holds(tap.buf, tap.pos, last)) {
        tap.pos += length;
        return last;
      }
      tap.pos = before;
      const text = tap.readString();
      // Undefined where the buffer ends before the text does. One byte for each character: ASCII.
      if (length <= maxRemembered && text?.length === length) last = text;
      return text;
    }

    _write(tap: Tap, text: unknown): void {
      if (typeof text !== 'string') throw new TypeError('not a string');
      const length = Buffer.byteLength(text);
      if (length !== text.length) {
        tap.writeString(text);
        return;
      }
      tap.writeLong(length);
      const start = tap.pos;
      tap.pos += length; // also past the end: that is how avsc tells by how much the buffer is too short
      if (tap.pos <= tap.buf.length) tap.buf.latin1Write(text, start, length);
    }
  }
  return new RememberedStringType();
}

function holds(buffer: Buffer, start: number, text: string): boolean {
  for (let at = text.length - 1; at >= 0; at--) {
    if (buffer[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** For a `typeHook`: each field that is a string, whatever its logical type, has a memory of its own. Undefined for any other schema. */
export function rememberedString(schema: avro.Schema): avro.Type | undefined {
  const name = typeof schema === 'object' && !Array.isArray(schema) && 'type' in schema ? schema.type : schema;
  return name === 'string' ? rememberedStringType() : undefined;
}
