/**
 * Where the fields of a record batch lie (message format v2, KIP-98;
 * https://kafka.apache.org/documentation/#recordbatch). Length counts from the end of its own field, the checksum covers
 * everything from the attributes on.
 */
export const layout = {
  baseOffset: 0,
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes before the length counts. */
export const lengthOverhead = 12;
export const headerSize = layout.records;
export const magicV2 = 2;

/** Attribute bits. */
export const compressionMask = 0x07;
export const logAppendTimeBit = 0x08;
export const controlBit = 0x20;
