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
  const memory = new StringMemory();

  class RememberedStringType extends avro.types.StringType {
    _read(tap: Tap): string {
      const before = tap.pos;
      const length = tap.readLong();
      if (memory.isAt(tap.buf, tap.pos, length)) {
        tap.pos += length;
        return memory.text;
      }
      tap.pos = before;
      const text = tap.readString();
      // Undefined where the buffer ends before the text does. One byte for each character: ASCII.
      if (length <= maxRemembered && text?.length === length) memory.remember(text);
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

/** A text of ASCII only, whose characters are its bytes, and those bytes once they have been asked for. */
class StringMemory {
  text = '';
  readonly #bytes = new Uint8Array(maxRemembered);
  #hasBytes = true;

  remember(text: string): void {
    this.text = text;
    this.#hasBytes = false;
  }

  /** Whether a buffer holds it at `start`. Bytes are compared with bytes: asking the text for its characters costs more. */
  isAt(buffer: Uint8Array, start: number, length: number): boolean {
    const { text } = this;
    if (length !== text.length) return false;
    if (length > 0 && buffer[start + length - 1] !== text.charCodeAt(length - 1)) return false;
    const bytes = this.#bytes;
    if (!this.#hasBytes) {
      for (let at = 0; at < length; at++) bytes[at] = text.charCodeAt(at);
      this.#hasBytes = true;
    }
    for (let at = length - 2; at >= 0; at--) {
      if (buffer[start + at] !== bytes[at]) return false;
    }
    return true;
  }
}

/** For a `typeHook`: each field that is a string, whatever its logical type, has a memory of its own. Undefined for any other schema. */
export function rememberedString(schema: avro.Schema): avro.Type | undefined {
  const name = typeof schema === 'object' && !Array.isArray(schema) && 'type' in schema ? schema.type : schema;
  return name === 'string' ? rememberedStringType() : undefined;
}
