import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

/** Where a page ended: the sort key of its last item. */
export interface Keyset {
  readonly at: number;
  readonly id: string;
}

const VERSION = 1;
const LENGTH = 1 + 8 + 16 + 6;

/**
 * The opaque text of a keyset: version, time, id, and six bytes that bind it to the filters it was made under, so that
 * it can neither be mistyped nor carried over to another list.
 */
export function encodeCursor(keyset: Keyset, filters: string): string {
  const bytes = Buffer.alloc(LENGTH);
  bytes[0] = VERSION;
  bytes.writeBigInt64BE(BigInt(keyset.at), 1);
  bytes.write(keyset.id.replaceAll('-', ''), 9, 'hex');
  bind(bytes.subarray(0, 25), filters).copy(bytes, 25);
  return bytes.toString('base64url');
}

/** Reads what `encodeCursor` wrote under the same filters; throws the problem `invalid-cursor` otherwise. */
export function decodeCursor(cursor: string, filters: string): Keyset {
  const bytes = Buffer.from(cursor, 'base64url');
  const sound =
    bytes.length === LENGTH &&
    bytes.toString('base64url') === cursor &&
    bytes[0] === VERSION &&
    bind(bytes.subarray(0, 25), filters).equals(bytes.subarray(25));
  if (!sound) {
    throw new Problem(
      'invalid-cursor',
      'The cursor is not one that this list gave out under these filters; start again without it.',
      { errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] },
    );
  }
  const hex = bytes.toString('hex', 9, 25);
  return {
    at: Number(bytes.readBigInt64BE(1)),
    id: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  };
}

function bind(bytes: Uint8Array, filters: string): Buffer {
  return createHash('sha256').update(bytes).update(filters).digest().subarray(0, 6);
}
