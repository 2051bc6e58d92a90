import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { ClosedError, type GapError, isRetriable, UnknownTopicError } from './errors.ts';
import { AssignmentReader } from './eventGroup/assignmentReader.ts';
import { type Assignment, GroupMember, type GroupMemberState } from './eventGroup/groupMember.ts';
import type { PartitionQueue } from './eventGroup/partitionQueue.ts';
import type { LogRecord } from './logRecord.ts';
import { offsetsAtTime } from './reader/offsets.ts';
import { Position } from './reader/position.ts';
import { offsetAt } from './wire/messages/listOffsets.ts';

export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that the log still has, and the one after its last record, as of the assignment. */
  readonly start: number;
  readonly end: number;
}

export interface EventBatch {
  readonly topic: string;
  readonly partition: number;
  /** In the order of the log, beginning at the offset that is due. Never empty. */
  readonly records: readonly LogRecord[];
  /** Of the assignment: greater with each one. */
  readonly epoch: number;
}

export interface Stall {
  readonly topic: string;
  readonly partition: number;
  readonly forMs: number;
  /** Records that wait, as far as is known. */
  readonly lag: number | undefined;
  /** `handler`: `onBatch` has not come to an end; `broker`: no answer for the partition. */
  readonly waitingFor: 'handler' | 'broker';
}

export interface EventConsumerOptions {
  /** Kafka's group, which shares out partitions among the processes that consume for one purpose. */
  readonly groupId: string;
  /** The topics to consume at present. Those that do not exist are left out until `topicsChanged`. */
  readonly topics: () => readonly string[];
  /**
   * Asked before anything of an assignment is fetched, for all partitions that this member now has: the offset to read next of
   * each, by `topic/partition`. A partition left out begins at `start`. What it rejects with is logged, and it is asked again.
   */
  readonly positions: (partitions: readonly AssignedPartition[], epoch: number) => Promise<ReadonlyMap<string, number>>;
  /**
   * Takes the next records of a partition. Calls for one partition never overlap, those for several do. While it has not
   * come to an end one more batch of the partition is fetched, and then nothing. What it throws ends the consumer (`onFatal`).
   */
  readonly onBatch: (batch: EventBatch) => void | Promise<void>;
  /** The partitions of the last assignment may be someone else's now: nothing more of them comes, and what is not stored is not ours. */
  readonly onRevoked?: (partitions: readonly { readonly topic: string; readonly partition: number }[]) => void;
  /**
   * A partition cannot be read on: records between the position and the log are missing (`GapError`), or its topic was deleted
   * or created anew (`UnknownTopicError`). The partition stands still until the next assignment or `reread`; others go on.
   */
  readonly onGap: (error: GapError | UnknownTopicError) => void;
  /** The consumer has ended and will not come back: end the process, so that it is started anew. */
  readonly onFatal: (error: Error) => void;
  /** Nothing has moved in a partition for `stalledAfterMs` though something is due. Called again each time that much has passed. */
  readonly onStalled?: (stall: Stall) => void;
  /** Default 60 s. */
  readonly stalledAfterMs?: number;
  /** Default 10 s: a member that is gone loses its partitions after that. */
  readonly sessionTimeoutMs?: number;
  /**
   * How often each broker is asked in the long run where its answers bring little, 125 by default. Fewer fetches cost all less, and a
   * record waits for up to one of their intervals.
   */
  readonly fetchesPerSecond?: number;
}

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** The offset after the last record handled. */
  readonly next: number;
  /** The partition's end, asked for at `askedAt` (milliseconds since 1970). Undefined before the first answer. */
  readonly end: number | undefined;
  readonly askedAt: number | undefined;
  /** How often reading it was cut short in this assignment: by an error, a lost connection, a leader that moved. */
  readonly interruptions: number;
  /** Why it stands still. */
  readonly stopped: Error | undefined;
}

export interface EventConsumerHealth {
  readonly membership: GroupMemberState;
  readonly sinceHeartbeatMs: number | undefined;
  readonly epoch: number;
  readonly assignedPartitions: number;
  /** Records that wait in the partitions of this member. */
  readonly lag: number;
  readonly stopped: readonly string[];
  readonly lastError: string | undefined;
}

const commitIntervalMs = 5_000;

/** Joins the group in the background. */
export function createEventConsumer(cluster: Cluster, options: EventConsumerOptions): EventConsumer {
  return new EventConsumer(cluster, options);
}

/**
 * Consumes topics for effects that keep positions of their own. kafkajs's consumer group says which partitions are this
 * member's; reading is this package's own (docs/decisions/0030), so it goes on while the group rebalances for others'
 * sake, and no record is ever passed over in silence. Offsets are committed to Kafka for lag displays only.
 */
export class EventConsumer {
  readonly #cluster: Cluster;
  readonly #options: EventConsumerOptions;
  readonly #member: GroupMember;
  readonly #stalledAfterMs: number;
  readonly #timers: NodeJS.Timeout[];
  readonly #stalledAt = new Map<PartitionQueue, number>();
  #assignment: Assignment = new Map();
  #reader: AssignmentReader | undefined;
  #revocable = false;
  #epoch = 0;
  #assigning: Promise<void> = Promise.resolve();
  #ended = false;
  #lastError: unknown;

  constructor(cluster: Cluster, options: EventConsumerOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#stalledAfterMs = options.stalledAfterMs ?? 60_000;
    this.#member = new GroupMember({
      cluster,
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
      onAssigned: (assignment) => {
        if (!sameAssignment(assignment, this.#assignment)) this.#assign(assignment);
      },
      onLost: (reason) => {
        cluster.logger.warn('partitions of a consumer group are given up', { group: options.groupId, reason });
        this.#assign(new Map());
      },
      onFatal: (error) => this.#fatal(error),
    });
    this.#member.start();
    this.#timers = [
      setInterval(() => void this.#commit(), commitIntervalMs),
      setInterval(() => this.#checkStalls(), Math.max(50, this.#stalledAfterMs / 4)),
    ];
  }

  /** `topics` gives others than before (or some exist by now): joins anew. Partitions kept are read on meanwhile, if this member is alone. */
  topicsChanged(): Promise<void> {
    return this.#member.topicsChanged();
  }

  /** Asks for the positions of all partitions again, and reads on from there. */
  reread(): void {
    if (!this.#ended) this.#assign(this.#assignment);
  }

  /** Asks at once for what there is, where fetches wait because they brought little (`fetchesPerSecond`). */
  hurry(): void {
    this.#reader?.hurry();
  }

  /** How far each partition of this member is. */
  progress(): PartitionProgress[] {
    return (this.#reader?.queues ?? []).map(({ position, handled, end, askedAt, interruptions, stopped }) => ({
      topic: position.topic,
      partition: position.partition,
      next: handled,
      end,
      askedAt,
      interruptions,
      stopped,
    }));
  }

  health(): EventConsumerHealth {
    const { state, lastHeartbeatAt, lastError } = this.#member;
    const progress = this.progress();
    const error = lastError ?? this.#lastError;
    return {
      membership: state,
      sinceHeartbeatMs: lastHeartbeatAt === undefined ? undefined : performance.now() - lastHeartbeatAt,
      epoch: this.#epoch,
      assignedPartitions: progress.length,
      lag: progress.reduce((sum, { next, end }) => sum + Math.max(0, (end ?? next) - next), 0),
      stopped: progress.filter(({ stopped }) => stopped).map(({ topic, partition }) => `${topic}/${partition}`),
      lastError: error === undefined ? undefined : String(error),
    };
  }

  /** Hands out nothing more, waits for what is being handled, leaves the group. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const commit = this.#commit();
    for (const timer of this.#timers) clearInterval(timer);
    this.#reader?.stop();
    await this.#reader?.idle();
    await commit;
    await this.#member.leave();
  }

  /** The last assignment counts: one that has not come to its first fetch is overtaken. */
  #assign(assignment: Assignment): void {
    if (this.#ended) return;
    const epoch = ++this.#epoch;
    const previous = this.#reader;
    this.#assignment = assignment;
    this.#reader = undefined;
    previous?.stop();
    if (this.#revocable) this.#options.onRevoked?.(partitionsOf(previous?.queues ?? []));
    this.#revocable = assignment.size > 0;
    const before = this.#assigning;
    this.#assigning = (async () => {
      await before;
      await previous?.idle();
      if (this.#isCurrent(epoch)) await this.#begin(assignment, epoch);
    })().catch((error: unknown) => this.#fatal(error));
  }

  async #begin(assignment: Assignment, epoch: number): Promise<void> {
    const partitions = await this.#patiently(epoch, () => this.#bounds(assignment));
    if (!partitions || partitions.length === 0) return;
    const positions = await this.#patiently(epoch, () => this.#options.positions(partitions, epoch));
    if (!positions) return;
    const reader = new AssignmentReader({
      cluster: this.#cluster,
      fetchesPerSecond: this.#options.fetchesPerSecond,
      positions: partitions.flatMap(({ topic, partition, start }) => {
        const known = this.#cluster.knownTopic(topic);
        return known ? [new Position(known, partition, positions.get(`${topic}/${partition}`) ?? start)] : [];
      }),
      onRecords: ({ position: { topic, partition } }, records) =>
        this.#options.onBatch({ topic, partition, records, epoch }),
      onGap: (error) => {
        this.#lastError = error;
        this.#cluster.logger.error('a partition cannot be read on', { error: error.message });
        this.#options.onGap(error);
      },
      onFatal: (error) => this.#fatal(error),
    });
    this.#reader = reader;
    reader.start();
  }

  async #bounds(assignment: Assignment): Promise<AssignedPartition[]> {
    const known: string[] = [];
    for (const topic of assignment.keys()) {
      try {
        await this.#cluster.topic(topic);
        known.push(topic);
      } catch (error) {
        if (!(error instanceof UnknownTopicError)) throw error;
        this.#options.onGap(error);
      }
    }
    const [starts, ends] = await Promise.all([
      offsetsAtTime(this.#cluster, known, offsetAt.start),
      offsetsAtTime(this.#cluster, known, offsetAt.end),
    ]);
    return known.flatMap((topic) =>
      assignment.get(topic)!.flatMap((partition) => {
        const [start, end] = [starts.get(topic)?.[partition], ends.get(topic)?.[partition]];
        return start === undefined || end === undefined ? [] : [{ topic, partition, start, end }];
      }),
    );
  }

  /** Until it succeeds, or the assignment is not the present one any more. */
  async #patiently<T>(epoch: number, work: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; this.#isCurrent(epoch); attempt++) {
      try {
        const result = await work();
        return this.#isCurrent(epoch) ? result : undefined;
      } catch (error) {
        this.#lastError = error;
        const level = isRetriable(error) ? 'warn' : 'error';
        this.#cluster.logger[level]('an assignment cannot be begun at present, trying again', { error: String(error) });
        await delay(20 + backoffMs(attempt));
      }
    }
    return undefined;
  }

  #isCurrent(epoch: number): boolean {
    return this.#epoch === epoch && !this.#ended;
  }

  #fatal(cause: unknown): void {
    if (this.#ended || cause instanceof ClosedError) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#lastError = error;
    this.#cluster.logger.error('a consumer has ended', { group: this.#options.groupId, error: error.stack });
    this.#reader?.stop();
    void this.close().catch(() => {});
    this.#options.onFatal(error);
  }

  async #commit(): Promise<void> {
    const offsets = new Map<string, Map<number, number>>();
    for (const { topic, partition, next } of this.progress()) {
      const ofTopic = offsets.get(topic) ?? new Map<number, number>();
      offsets.set(topic, ofTopic.set(partition, next));
    }
    await this.#member.commit(offsets);
  }

  #checkStalls(): void {
    const now = performance.now();
    for (const queue of this.#reader?.queues ?? []) {
      if (queue.stopped) continue;
      const waitingFor = queue.isIdle ? 'broker' : 'handler';
      const forMs = now - (queue.isIdle ? queue.answeredAt : queue.movedAt);
      if (forMs < this.#stalledAfterMs) {
        this.#stalledAt.delete(queue);
        continue;
      }
      if (now - (this.#stalledAt.get(queue) ?? Number.NEGATIVE_INFINITY) < this.#stalledAfterMs) continue;
      this.#stalledAt.set(queue, now);
      const { topic, partition } = queue.position;
      const lag = queue.end === undefined ? undefined : Math.max(0, queue.end - queue.handled);
      this.#cluster.logger.warn('a partition does not move', { topic, partition, forMs, lag, waitingFor });
      this.#options.onStalled?.({ topic, partition, forMs, lag, waitingFor });
    }
  }
}

function partitionsOf(queues: readonly PartitionQueue[]): { topic: string; partition: number }[] {
  return queues.map(({ position: { topic, partition } }) => ({ topic, partition }));
}

function sameAssignment(a: Assignment, b: Assignment): boolean {
  const text = (assignment: Assignment) =>
    [...assignment]
      .map(([topic, partitions]) => `${topic}:${[...partitions].sort((x, y) => x - y)}`)
      .sort()
      .join();
  return text(a) === text(b);
}
