import avro from 'avsc';

/** What is used here of avsc's cursor over a buffer. */
interface Tap {
  readonly buf: Buffer;
  readonly pos: number;
  readLong(): number;
  skipLong(): void;
}

/** What is used here of an item type's inside. */
interface ItemType {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/**
 * An array whose claimed length is checked against the bytes that are left (an item takes one at least). avsc believes
 * the claim, and allocates and loops for as many items as it says: eight bytes of poison would end the process.
 */
class BoundedArrayType extends avro.types.ArrayType {
  // Also lent by avsc to resolvers, which have itemsType too.
  _read(this: { itemsType: ItemType }, tap: Tap): unknown[] {
    const items: unknown[] = [];
    for (let count = readCount(tap); count > 0; count = readCount(tap)) {
      while (count-- > 0) items.push(this.itemsType._read(tap));
    }
    return items;
  }

  _skip(this: { itemsType: ItemType }, tap: Tap): void {
    for (let count = readCount(tap); count > 0; count = readCount(tap)) {
      while (count-- > 0) this.itemsType._skip(tap);
    }
  }
}

function readCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong(); // the block's size in bytes, which only helps to skip it
  }
  if (count > tap.buf.length - tap.pos)
    throw new Error(`an array claims ${count} items, more than the record has bytes`);
  return count;
}

/** A `typeHook` for `avro.Type.forSchema`; undefined leaves a schema to avsc. */
export function boundedArrayHook(schema: avro.Schema, options: unknown): avro.Type | undefined {
  const isArray = typeof schema === 'object' && !Array.isArray(schema) && 'type' in schema && schema.type === 'array';
  return isArray ? new BoundedArrayType(schema, options) : undefined;
}
