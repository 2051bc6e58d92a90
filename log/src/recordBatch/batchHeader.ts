import { crc32c } from '@node-rs/crc32';
import { CorruptBatchError } from '../errors.ts';
import { controlBit, headerSize, layout, lengthOverhead, magicV2 } from './layout.ts';

/** What stands before the records of a batch (message format v2). */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Where the batch ends in its bytes. */
  readonly end: number;
  readonly attributes: number;
  /** It holds a transaction marker, and no records of anybody. */
  readonly isControl: boolean;
  /** The offset after its last record, whether compaction has left that one or not. */
  readonly nextOffset: number;
  readonly leaderEpoch: number;
}

/** Reads the header that begins at a position; undefined where the batch is cut off. Throws `CorruptBatchError`. */
export function readBatchHeader(data: Buffer, at: number): BatchHeader | undefined {
  if (at + lengthOverhead > data.length) return undefined;
  const baseOffset = readInt64(data, at + layout.baseOffset);
  const end = at + lengthOverhead + data.readInt32BE(at + layout.length);
  if (end > data.length) return undefined;
  if (end - at < headerSize) throw new CorruptBatchError(baseOffset, `it is only ${end - at} bytes long`);
  const magic = data[at + layout.magic];
  if (magic !== magicV2) throw new CorruptBatchError(baseOffset, `its format is v${magic}, only v2 is supported`);
  const attributes = data.readInt16BE(at + layout.attributes);
  return {
    baseOffset,
    end,
    attributes,
    isControl: (attributes & controlBit) !== 0,
    nextOffset: baseOffset + data.readInt32BE(at + layout.lastOffsetDelta) + 1,
    leaderEpoch: data.readInt32BE(at + layout.partitionLeaderEpoch),
  };
}

/** Throws `CorruptBatchError` where the bytes of a batch are not those that its writer sent. */
export function verifyChecksum(data: Buffer, at: number, { end, baseOffset }: BatchHeader): void {
  const checksum = data.readUInt32BE(at + layout.checksum);
  if (crc32c(data.subarray(at + layout.attributes, end)) !== checksum) {
    throw new CorruptBatchError(baseOffset, 'its checksum does not match');
  }
}

export function readInt64(data: Buffer, at: number): number {
  return data.readInt32BE(at) * 0x1_0000_0000 + data.readUInt32BE(at + 4);
}
