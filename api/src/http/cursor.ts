import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

/** Where a page ended: the sort key of its last item. */
export interface Keyset {
  readonly at: number;
  readonly id: string;
}

const VERSION = 1;
const TIME_BYTES = 8;
const ID_BYTES = 16;
const SEAL_BYTES = 6;

/** The opaque text of a place in a list of tasks. */
export function encodeCursor(keyset: Keyset, filters: string): string {
  const place = Buffer.alloc(TIME_BYTES + ID_BYTES);
  place.writeBigInt64BE(BigInt(keyset.at));
  place.write(keyset.id.replaceAll('-', ''), TIME_BYTES, 'hex');
  return seal(place, filters);
}

/** Reads what `encodeCursor` wrote under the same filters; throws the problem `invalid-cursor` otherwise. */
export function decodeCursor(cursor: string, filters: string): Keyset {
  const place = unseal(cursor, TIME_BYTES + ID_BYTES, filters);
  const hex = place.toString('hex', TIME_BYTES);
  return {
    at: Number(place.readBigInt64BE()),
    id: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  };
}

/** The same of an offset in a partition of the log. */
export function encodeOffsetCursor(offset: number, filters: string): string {
  const place = Buffer.alloc(TIME_BYTES);
  place.writeBigInt64BE(BigInt(offset));
  return seal(place, filters);
}

export function decodeOffsetCursor(cursor: string, filters: string): number {
  return Number(unseal(cursor, TIME_BYTES, filters).readBigInt64BE());
}

/**
 * Version, place, and six bytes that bind it to the filters it was made under, so that it can neither be mistyped nor carried over
 * to another list.
 */
function seal(place: Buffer, filters: string): string {
  const bytes = Buffer.concat([Buffer.of(VERSION), place]);
  return Buffer.concat([bytes, bind(bytes, filters)]).toString('base64url');
}

function unseal(cursor: string, placeBytes: number, filters: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  const sealed = 1 + placeBytes;
  const sound =
    bytes.length === sealed + SEAL_BYTES &&
    bytes.toString('base64url') === cursor &&
    bytes[0] === VERSION &&
    bind(bytes.subarray(0, sealed), filters).equals(bytes.subarray(sealed));
  if (!sound) {
    throw new Problem(
      'invalid-cursor',
      'The cursor is not one that this list gave out under these filters; start again without it.',
      { errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] },
    );
  }
  return bytes.subarray(1, sealed);
}

function bind(bytes: Uint8Array, filters: string): Buffer {
  return createHash('sha256').update(bytes).update(filters).digest().subarray(0, SEAL_BYTES);
}
