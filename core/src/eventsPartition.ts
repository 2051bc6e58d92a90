/**
 * The partition in which a task's events will lie, by hash of its id. Decided once, when the task is submitted, and
 * carried in its records from then on: computing it again would scatter a task's events once partitions are added.
 * The hash is that of Kafka's own default partitioner (murmur2 of the key), so that a stock producer that appends
 * with the key alone would choose the same.
 */
export function chooseEventsPartition(taskId: string, partitions: number): number {
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new RangeError(`An events topic has at least one partition, not ${partitions}`);
  }
  return (murmur2(Buffer.from(taskId, 'utf8')) & 0x7fffffff) % partitions;
}

const multiplier = 0x5bd1e995;

/** MurmurHash2 with Kafka's seed, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let h = 0x9747b28c ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, multiplier);
    k ^= k >>> 24;
    h = Math.imul(h, multiplier) ^ Math.imul(k, multiplier);
  }
  const left = length - at;
  if (left >= 3) h ^= bytes[at + 2]! << 16;
  if (left >= 2) h ^= bytes[at + 1]! << 8;
  if (left >= 1) h = Math.imul(h ^ bytes[at]!, multiplier);
  h ^= h >>> 13;
  h = Math.imul(h, multiplier);
  return h ^ (h >>> 15);
}
