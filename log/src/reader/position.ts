import type { Cluster } from '../cluster.ts';
import { CorruptBatchError, GapError, KafkaError, UnknownTopicError } from '../errors.ts';
import type { LogRecord } from '../logRecord.ts';
import { decodeRecordBatches } from '../recordBatch/decodeRecordBatches.ts';
import { codes } from '../wire/errorCodes.ts';
import type { FetchedPartition, FetchPosition } from '../wire/messages/fetch.ts';
import { offsetAt } from '../wire/messages/listOffsets.ts';
import { checkBatches, FetchedRecords } from './fetchedBatches.ts';
import { offsetAtTime } from './offsets.ts';

/** How often a batch that cannot be read is fetched. */
const corruptAttempts = 3;
/** A broker that has just started may not have heard of a topic yet. */
const missingForMs = 10_000;

/** Where reading of a partition stands. */
export class Position {
  readonly topic: string;
  readonly topicId: Buffer;
  readonly topicIdHex: string;
  readonly partition: number;
  /** The next offset to read. */
  offset: number;
  #lastEpoch = -1;
  #corrupt = 0;
  #missingSince: number | undefined;

  constructor(topic: { name: string; id: Buffer; idHex: string }, partition: number, offset: number) {
    this.topic = topic.name;
    this.topicId = topic.id;
    this.topicIdHex = topic.idHex;
    this.partition = partition;
    this.offset = offset;
  }

  fetchPosition(leaderEpoch: number): FetchPosition {
    const { topicId, partition, offset } = this;
    return { topicId, partition, offset, leaderEpoch, lastFetchedEpoch: this.#lastEpoch };
  }

  /**
   * Takes an answer of the leader: gives the records from the position to before `end`, and moves on behind them. Throws
   * `GapError` where records are missing, an error of `isRetriable` where another attempt may help.
   */
  async take(cluster: Cluster, answer: FetchedPartition, end = Number.POSITIVE_INFINITY): Promise<LogRecord[]> {
    await this.#check(cluster, answer);
    return answer.records ? this.#decode(answer.records, end) : [];
  }

  /** The same, with the records still in their bytes; undefined where there are no batches. */
  async takeUnread(cluster: Cluster, answer: FetchedPartition): Promise<FetchedRecords | undefined> {
    await this.#check(cluster, answer);
    if (!answer.records) return undefined;
    const from = this.offset;
    const { bytes, last, unreadable } = checkBatches(answer.records);
    if (last !== undefined && last.nextOffset > this.offset) {
      this.offset = last.nextOffset;
      this.#lastEpoch = last.leaderEpoch;
    }
    if (this.offset > from) {
      // What stands before a batch that cannot be read is given first; the next attempt begins with that batch.
      this.#corrupt = 0;
      return new FetchedRecords(this, from, this.offset, bytes);
    }
    if (unreadable !== undefined) this.#throwUnreadable(unreadable);
    return undefined;
  }

  async #check(cluster: Cluster, { errorCode, divergedAt, logStart }: FetchedPartition): Promise<void> {
    if (errorCode === codes.OFFSET_OUT_OF_RANGE) throw await this.#outOfRange(cluster);
    if (errorCode === codes.UNKNOWN_TOPIC_ID || errorCode === codes.INCONSISTENT_TOPIC_ID)
      await this.#checkTopic(cluster);
    if (errorCode !== 0) throw new KafkaError(errorCode, `Fetch of ${this.topic}/${this.partition}`);
    if (divergedAt >= 0) throw new GapError(this.topic, this.partition, this.offset, logStart, divergedAt);
  }

  #decode(data: Buffer, end: number): LogRecord[] {
    const { topic, partition } = this;
    const from = this.offset;
    const records: LogRecord[] = [];
    try {
      const { nextOffset, leaderEpoch } = decodeRecordBatches(
        data,
        (offset, key, value, appendedAt, epoch, headers) => {
          if (offset < from || offset >= end) return;
          records.push({ topic, partition, offset, key, value, appendedAt, leaderEpoch: epoch, headers });
        },
      );
      this.#corrupt = 0;
      if (nextOffset !== undefined && nextOffset > this.offset) {
        this.offset = nextOffset;
        this.#lastEpoch = leaderEpoch;
      }
    } catch (error) {
      // What stands before the batch that cannot be read is given first; the next attempt begins with that batch.
      if (!(error instanceof CorruptBatchError) || records.length === 0) this.#throwUnreadable(error);
      this.offset = Math.max(this.offset, records.at(-1)!.offset + 1);
      this.#lastEpoch = -1;
    }
    return records;
  }

  /** A batch may have been damaged on its way: it is fetched anew some times. */
  #throwUnreadable(error: unknown): never {
    if (!(error instanceof CorruptBatchError) || ++this.#corrupt >= corruptAttempts) throw error;
    throw new KafkaError(codes.CORRUPT_MESSAGE, `Fetch of ${this.topic}/${this.partition}`, error.message);
  }

  /** The gap there is; or, where the log has the offset by now, an error to try again after. */
  async #outOfRange(cluster: Cluster): Promise<Error> {
    const [start, end] = await Promise.all([
      offsetAtTime(cluster, this.topic, this.partition, offsetAt.start),
      offsetAtTime(cluster, this.topic, this.partition, offsetAt.end),
    ]);
    if (this.offset < start || this.offset > end) {
      return new GapError(this.topic, this.partition, this.offset, start, end);
    }
    return new KafkaError(codes.OFFSET_NOT_AVAILABLE, `Fetch of ${this.topic}/${this.partition}`);
  }

  async #checkTopic(cluster: Cluster): Promise<void> {
    await cluster.refresh([this.topic]);
    const idNow = cluster.knownTopic(this.topic)?.idHex;
    if (idNow !== undefined && idNow !== this.topicIdHex) {
      throw new UnknownTopicError(this.topic, 'it was deleted and created anew while it was read');
    }
    this.#missingSince = idNow === undefined ? (this.#missingSince ?? Date.now()) : undefined;
    if (this.#missingSince !== undefined && Date.now() - this.#missingSince > missingForMs) {
      throw new UnknownTopicError(this.topic, 'it was deleted while it was read');
    }
  }
}
