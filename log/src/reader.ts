import type { Cluster } from './cluster.ts';
import type { LogRecord } from './logRecord.ts';
import { LogFollower } from './reader/follower.ts';
import { lastRecordBeforeLeader } from './reader/leaderChange.ts';
import { type Offsets, offsetsAtTime } from './reader/offsets.ts';
import { RangeReader } from './reader/readRange.ts';
import { offsetAt } from './wire/messages/listOffsets.ts';

export type { LogRecord } from './logRecord.ts';
export type { Offsets } from './reader/offsets.ts';

export interface Range {
  readonly topic: string;
  readonly partition: number;
  /** An offset, the first record of a time (in milliseconds) or later, or the first that the log still has. */
  readonly from: { readonly offset: number } | { readonly time: number } | 'start';
  /** Before which offset to stop; never later than the end of the partition when reading begins. Default that end. */
  readonly to?: { readonly offset: number } | 'end';
  readonly signal?: AbortSignal;
  /** How much to fetch at a time. A larger record is read all the same. Default 4 MiB. */
  readonly maxBytes?: number;
  /** How long to try again where a broker does not answer or a leader is missing. Default 60 s. */
  readonly patienceMs?: number;
}

/**
 * Reads a range of a partition to the end that it has now, in chunks as they are fetched. Heals over lost connections and
 * moved leaders, and never passes over anything: `GapError` where the log was trimmed or is shorter than the position,
 * `UnknownTopicError` where the topic is missing or was created anew meanwhile. Offsets may have gaps all the same, where
 * a compacted topic has dropped records, and at transaction markers.
 */
export function readRange(cluster: Cluster, range: Range): AsyncIterable<LogRecord[]> {
  return { [Symbol.asyncIterator]: () => new RangeReader(cluster, range).read() };
}

/**
 * Reads what there still is of a range, chunk by chunk into a function, and tells from where to where that was: `end` is the
 * offset after the last record that there could have been. Unlike `readRange` it passes over what was trimmed: for questions
 * whose answer lies in what is left.
 */
export function scanRange(
  cluster: Cluster,
  range: Range,
  onRecords: (records: readonly LogRecord[]) => void,
): Promise<{ readonly from: number; readonly end: number }> {
  return new RangeReader(cluster, range).scan(onRecords);
}

/** The offsets after the last records of all partitions. One request for each broker, however many topics. */
export function endOffsets(cluster: Cluster, topics: readonly string[]): Promise<Offsets> {
  return offsetsAtTime(cluster, topics, offsetAt.end);
}

/** The first offsets that the logs of all partitions still have. */
export function startOffsets(cluster: Cluster, topics: readonly string[]): Promise<Offsets> {
  return offsetsAtTime(cluster, topics, offsetAt.start);
}

/** The offsets of the first records appended at `time` (milliseconds) or later; a partition's end where there is none. */
export function offsetsForTime(cluster: Cluster, topics: readonly string[], time: number): Promise<Offsets> {
  return offsetsAtTime(cluster, topics, Math.max(time, 0));
}

/**
 * The last record that a partition got before its present leader became it (a broker that restarts is a new leader, too);
 * undefined where there was none, or it is gone.
 */
export function lastRecordOfOldLeader(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<LogRecord | undefined> {
  return lastRecordBeforeLeader(cluster, topic, partition);
}

export interface FollowOptions {
  readonly topics: readonly string[];
  readonly from: 'start' | 'end' | { readonly time: number };
  /** Records of one partition, in order. Called one at a time; the next fetch waits for it. What it throws ends the follower. */
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export interface Follower {
  /** Resolves when all that was there at the beginning has been handed to `onRecords`; rejects if it ends before. */
  readonly caughtUp: Promise<void>;
  /** Resolves when the signal has aborted, rejects when following cannot go on (`GapError`, an error of `onRecords`). */
  readonly done: Promise<void>;
}

/**
 * Follows topics outside of any group: every record of every partition, from where it begins until the signal aborts, by
 * long polls. It heals by itself: brokers and leaders may come and go, a topic may be missing at first, partitions may be
 * added. It ends where going on would hide something: `GapError` where records were trimmed before they were read.
 */
export function follow(cluster: Cluster, options: FollowOptions): Follower {
  return new LogFollower(cluster, options);
}
