import { CorruptBatchError, UnsupportedCompressionError } from '../errors.ts';
import { type BatchHeader, readBatchHeader, readInt64, verifyChecksum } from './batchHeader.ts';
import { decompress } from './decompress.ts';
import { compressionMask, headerSize, layout, logAppendTimeBit } from './layout.ts';
import { RecordCursor } from './recordCursor.ts';

/** Text by name. The protocol allows bytes and repeated names; here the last of a name counts. */
export type Headers = Readonly<Record<string, string>>;

/** Called for each record in order. Plain arguments: this runs for every record there is. */
export type OnRecord = (
  offset: number,
  key: Buffer | null,
  value: Buffer | null,
  timestamp: number,
  leaderEpoch: number,
  headers: Headers | undefined,
) => void;

export interface DecodedBatches {
  /** The offset after the last whole batch, whatever it holds; undefined when there was none. */
  readonly nextOffset: number | undefined;
  /** The leader epoch of the last whole batch; -1 when there was none. */
  readonly leaderEpoch: number;
  /** Whole batches, control batches included. */
  readonly batches: number;
}

/**
 * Reads the record batches of a fetch (message format v2) and hands on their records. Batches are read as a broker gives
 * them: the last may be cut off (the next fetch brings it whole), offsets may have gaps (compaction), the first batch may
 * begin before the offset that was asked for, and control batches (transaction markers) hold no records of anybody.
 *
 * The checksum of each batch is verified: this log is the truth for everything else, and it costs
 * 0.05 microseconds for a record of 250 bytes (docs/decisions/0137).
 * Keys and values are views of `data` (unless it was compressed), so keeping one keeps the whole fetch in memory.
 *
 * Records before the offset `from` and behind `to` are passed over cheaply: who takes a few records of a large batch at a
 * time (as share groups do) is given the whole batch each time. Its checksum is verified only with its first records, and none is
 * where they are `verified` already.
 *
 * Throws `CorruptBatchError` with the offset of the batch that cannot be read, `UnsupportedCompressionError` likewise; the
 * records of the batches before it have been handed on.
 */
export function decodeRecordBatches(
  data: Buffer,
  onRecord: OnRecord,
  from = 0,
  to = Number.POSITIVE_INFINITY,
  { verified = false } = {},
): DecodedBatches {
  let at = 0;
  let batches = 0;
  let nextOffset: number | undefined;
  let leaderEpoch = -1;
  for (let header = readBatchHeader(data, at); header !== undefined; header = readBatchHeader(data, at)) {
    const { baseOffset } = header;
    // The batch was given before, for the records before `from`: it was verified then.
    if (!verified && from <= baseOffset) verifyChecksum(data, at, header);
    if (!header.isControl) decodeRecords(data, at, header, onRecord, from - baseOffset, to - baseOffset);
    ({ nextOffset, leaderEpoch } = header);
    batches++;
    at = header.end;
  }
  return { nextOffset, leaderEpoch, batches };
}

function decodeRecords(
  data: Buffer,
  at: number,
  { baseOffset, end, attributes, nextOffset, leaderEpoch }: BatchHeader,
  onRecord: OnRecord,
  fromDelta: number,
  toDelta: number,
): void {
  if (toDelta < 0 || baseOffset + fromDelta >= nextOffset) return;
  const count = data.readInt32BE(at + layout.recordCount);
  const appendTime = (attributes & logAppendTimeBit) !== 0;
  const baseTimestamp = readInt64(data, at + (appendTime ? layout.maxTimestamp : layout.baseTimestamp));
  const cursor = cursorOf(data, at, end, baseOffset, attributes & compressionMask);
  for (let i = 0; i < count; i++) {
    if (!step(cursor, baseOffset, fromDelta)) continue;
    if (cursor.offsetDelta > toDelta) return;
    const timestamp = appendTime ? baseTimestamp : baseTimestamp + cursor.timestampDelta;
    onRecord(baseOffset + cursor.offsetDelta, cursor.key, cursor.value, timestamp, leaderEpoch, cursor.headers);
  }
}

function cursorOf(data: Buffer, at: number, end: number, baseOffset: number, codec: number): RecordCursor {
  if (codec === 0) return new RecordCursor(data, at + headerSize, end);
  try {
    return new RecordCursor(decompress(codec, data.subarray(at + headerSize, end)));
  } catch (error) {
    if (error instanceof UnsupportedCompressionError) throw error;
    throw new CorruptBatchError(baseOffset, (error as Error).message, { cause: error });
  }
}

function step(cursor: RecordCursor, baseOffset: number, fromDelta: number): boolean {
  try {
    return cursor.next(fromDelta);
  } catch (error) {
    throw new CorruptBatchError(baseOffset, (error as Error).message, { cause: error });
  }
}
