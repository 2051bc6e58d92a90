import { hash, randomFillSync } from 'node:crypto';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID of any version as it is written here: 36 characters, lower case. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
const largestCounter = 0xfff;

/** Random bytes are fetched 8 KiB at a time: one call into the system serves a thousand ids. */
const pool = Buffer.allocUnsafeSlow(8192);
let poolUsed = pool.length;

const text = Buffer.alloc(36, '-', 'latin1');
let lastMs = 0;
let counter = 0;

/**
 * A UUIDv7 (RFC 9562): 48 bits of milliseconds, a 12-bit counter, 62 random bits. Ids of one process ascend strictly,
 * also where the clock stands still or steps back: they then go on from the last one. Ties between events of one
 * process are therefore decided in the order in which it made them.
 */
export function uuidv7(now: number = Date.now()): string {
  if (poolUsed + 8 > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  if (now > lastMs) {
    lastMs = now;
    // The upper half of the counter is left free, so that it can count within the millisecond.
    counter = ((pool[poolUsed]! & 0x7) << 8) | pool[poolUsed + 1]!;
  } else if (++counter > largestCounter) {
    lastMs++;
    counter = 0;
  }
  const high = Math.floor(lastMs / 0x10000);
  writeHex(0, high >>> 24);
  writeHex(2, high >>> 16);
  writeHex(4, high >>> 8);
  writeHex(6, high);
  writeHex(9, lastMs >>> 8);
  writeHex(11, lastMs);
  writeHex(14, 0x70 | (counter >>> 8));
  writeHex(16, counter);
  writeHex(19, 0x80 | (pool[poolUsed]! >>> 2));
  for (let i = 1, at = 21; i < 8; i++, at += i === 2 ? 3 : 2) writeHex(at, pool[poolUsed + i]!);
  poolUsed += 8;
  return text.toString('latin1');
}

function writeHex(at: number, byte: number): void {
  text[at] = hexDigits[(byte >>> 4) & 0xf]!;
  text[at + 1] = hexDigits[byte & 0xf]!;
}

/** A UUIDv5 (SHA-1 of a namespace and a name): the same cause gives the same id, whoever asks and how often. */
export function uuidv5(namespace: string, name: string): string {
  if (!isUuid(namespace))
    throw new TypeError(`The namespace of a UUIDv5 must be a UUID, not ${JSON.stringify(namespace)}`);
  const cause = Buffer.concat([Buffer.from(namespace.replaceAll('-', ''), 'hex'), Buffer.from(name, 'utf8')]);
  const bytes = hash('sha1', cause, 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
