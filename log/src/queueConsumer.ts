import { randomUUID } from 'node:crypto';
import { backoffMs } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { ClosedError } from './errors.ts';
import { acknowledgementTypes } from './share/acknowledgements.ts';
import type { Delivered, HeldRecord, QueueSession } from './share/delivered.ts';
import { Membership, type MembershipState } from './share/membership.ts';
import type { AssignedTopic } from './share/messages/shareGroupHeartbeat.ts';
import { Polls } from './share/polls.ts';
import type { Renewed } from './share/renewals.ts';
import { ShareSession } from './share/session.ts';
import { type PartitionId, partitionId } from './share/sessionState.ts';
import { type AcknowledgementCounts, noAcknowledgements } from './share/sharePartition.ts';

export type { Delivered, QueueSession } from './share/delivered.ts';
export type { MembershipState } from './share/membership.ts';
export type { AcknowledgementCounts } from './share/sharePartition.ts';

export interface QueueConsumerOptions {
  /** The queue: a share group reads one topic here. */
  readonly topic: string;
  readonly group: string;
  /** Of this process in this group; kept for the consumer's whole life. A random one unless set. */
  readonly memberId?: string;
  /**
   * A hold is over: what was delivered on it is free for others at this moment, or will be in the next. Whatever runs may
   * go on running; it is to be handed over in the log at once, because its accept does nothing any more.
   */
  readonly onSessionLost?: (session: QueueSession, reason: string) => void;
  /** Bytes that one fetch may bring (one record more than that at most). Default 16 MiB. */
  readonly maxBytes?: number;
  /** No writer of the queue puts more records into a batch. With as many free slots whole batches are acquired; never if absent. */
  readonly batchRecords?: number;
  /** For an answer of the broker, beside the wait that a fetch asks for. Default 10 s: shorter than the records' locks. */
  readonly answerTimeoutMs?: number;
}

export interface FetchOptions {
  /** Free slots: no more records than this come, neither now nor later. */
  readonly maxRecords: number;
  /** How long to wait for the first record; 0 asks without waiting. */
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal;
}

export interface QueueHealth {
  readonly membership: MembershipState;
  /** Times in milliseconds since the last good answer; undefined while there was none. */
  readonly sinceHeartbeatMs: number | undefined;
  readonly sinceFetchMs: number | undefined;
  /** Partitions that the group has given to this member. */
  readonly assignedPartitions: number;
  /** Share sessions open, one for each broker that leads some of them. */
  readonly openSessions: number;
  /** Records delivered and not settled. */
  readonly held: number;
  readonly lastError: string | undefined;
  readonly acknowledgements: Readonly<AcknowledgementCounts>;
  readonly sessionsLost: number;
}

/** Joins the share group of a queue. Rejects where that cannot succeed; a broker that is away now is waited for meanwhile. */
export async function openQueue(cluster: Cluster, options: QueueConsumerOptions): Promise<QueueConsumer> {
  const consumer = new QueueConsumer(cluster, options);
  await consumer.start();
  return consumer;
}

/**
 * Takes records from a queue: a topic that is read by a share group (KIP-932). The broker locks each record for the consumer
 * it hands it to, and hands it to another one when it is released, when its lock ends, or when the consumer's
 * session is lost.
 *
 * It heals by itself: a lost connection, session or membership, a new leader or coordinator, a topic that is created or
 * deleted show in `health` and in `onSessionLost`; `fetch` goes on giving what there is, and never rejects but when closed.
 */
export class QueueConsumer {
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
  readonly #cluster: Cluster;
  readonly #options: QueueConsumerOptions;
  readonly #membership: Membership;
  readonly #sessions = new Map<number, ShareSession>();
  readonly #polls: Polls;
  readonly #listeners = new Set<() => void>();
  readonly #counts = noAcknowledgements();
  #assignment: readonly AssignedTopic[] = [];
  #assignedPartitions = 0;
  #sessionsLost = 0;
  #planning: Promise<void> | undefined;
  #planAgain = false;
  #closed = false;
  #turn = 0;

  constructor(cluster: Cluster, options: QueueConsumerOptions) {
    this.topic = options.topic;
    this.group = options.group;
    this.memberId = options.memberId ?? randomUUID();
    this.#cluster = cluster;
    this.#options = options;
    this.#polls = new Polls((records) => {
      for (const record of records) this.release(record);
    });
    this.#membership = new Membership({
      cluster,
      group: this.group,
      topic: this.topic,
      memberId: this.memberId,
      onAssigned: (assignment) => this.#assigned(assignment),
    });
  }

  /** Called by `openQueue`. */
  start(): Promise<void> {
    return this.#membership.start();
  }

  /**
   * Waits for records, and gives those that came first: not more than `maxRecords`, often fewer. Empty after `maxWaitMs`, or at
   * once when the signal aborts. One fetch at a time.
   *
   * A fetch that the broker holds cannot be called back. Records that arrive after an abort are released, which costs them a
   * delivery; that happens only to what arrives within the moment (at most 500 ms) in which the broker still holds the fetch.
   */
  async fetch({ maxRecords, maxWaitMs, signal }: FetchOptions): Promise<Delivered[]> {
    this.#failIfClosed();
    return this.#polls.fetch(() => this.sources(), { maxRecords, maxWaitMs, signal });
  }

  /**
   * The record is done with. Sent with others after a tenth of a second at most, unless a fetch is under way; tried again until the
   * session is lost. What is given back is sent at once, and everything while somebody waits for `settled` or `close`.
   */
  accept(record: Delivered): void {
    heldRecord(record).session.owner.settle(heldRecord(record), acknowledgementTypes.accept);
  }

  /** Gives the record back for others. Its next delivery counts one more. */
  release(record: Delivered): void {
    heldRecord(record).session.owner.settle(heldRecord(record), acknowledgementTypes.release);
  }

  /** Takes the record out of the queue as one that nobody can process. */
  reject(record: Delivered): void {
    heldRecord(record).session.owner.settle(heldRecord(record), acknowledgementTypes.reject);
  }

  /**
   * Prolongs locks by the lock duration, and `lockedUntil` with them. `lost` are those whose lock was gone. What could not
   * be renewed for another reason is in neither list, and its lock runs on.
   */
  async renew(records: readonly Delivered[]): Promise<{ renewed: Delivered[]; lost: Delivered[] }> {
    const bySession = new Map<ShareSession, HeldRecord[]>();
    for (const record of records) {
      const held = heldRecord(record);
      const { session } = held.session.owner;
      const same = bySession.get(session);
      if (same) same.push(held);
      else bySession.set(session, [held]);
    }
    const all: Renewed[] = await Promise.all([...bySession].map(([session, held]) => session.renew(held)));
    return { renewed: all.flatMap(({ renewed }) => renewed), lost: all.flatMap(({ lost }) => lost) };
  }

  /** Resolves when everything accepted, released or rejected so far is acknowledged, or its session lost. */
  async settled(): Promise<void> {
    for (const session of this.#sessions.values()) session.hurry();
    while (!this.#closed && [...this.#sessions.values()].some(({ partitions }) => !partitions.settled)) {
      await new Promise<void>((resolve) => {
        const unsubscribe = this.onChange(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  }

  health(): QueueHealth {
    const sessions = [...this.#sessions.values()];
    const now = performance.now();
    const lastFetchAt = Math.max(...sessions.map((session) => session.lastFetchAt ?? Number.NEGATIVE_INFINITY));
    const { state, lastHeartbeatAt, lastError } = this.#membership;
    return {
      membership: state,
      sinceHeartbeatMs: lastHeartbeatAt === undefined ? undefined : now - lastHeartbeatAt,
      sinceFetchMs: Number.isFinite(lastFetchAt) ? now - lastFetchAt : undefined,
      assignedPartitions: this.#assignedPartitions,
      openSessions: sessions.filter(({ isOpen }) => isOpen).length,
      held: sessions.reduce((sum, { partitions }) => sum + partitions.held, 0),
      lastError: (lastError ?? sessions.find((session) => session.lastError)?.lastError)?.message,
      acknowledgements: { ...this.#counts },
      sessionsLost: this.#sessionsLost,
    };
  }

  /**
   * Sends the acknowledgements that wait (for `timeoutMs` at most, while the broker is away), gives back at once what is not
   * settled, leaves the group. Records that a pending fetch still brings are given back, too.
   */
  async close(timeoutMs = 5_000): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#polls.changed();
    const deadline = performance.now() + timeoutMs;
    await Promise.all([...this.#sessions.values()].map((session) => session.close(deadline)));
    this.#changed();
    await this.#membership.leave();
  }

  /** For `queueSet`: what it may poll now. */
  sources(): readonly ShareSession[] {
    const wanted = [...this.#sessions.values()].filter(({ partitions }) => partitions.wanted.size > 0);
    // several leaders take turns at being asked first
    if (wanted.length > 1) wanted.push(...wanted.splice(0, this.#turn++ % wanted.length));
    return wanted;
  }

  /** For `queueSet`: calls back when a source may have become ready. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  #changed(): void {
    this.#polls.changed();
    for (const listener of [...this.#listeners]) listener();
  }

  #failIfClosed(): void {
    if (this.#closed) throw new ClosedError(`The consumer of queue ${this.topic} was closed`);
  }

  #assigned(assignment: readonly AssignedTopic[]): void {
    this.#assignment = assignment;
    this.#assignedPartitions = assignment.reduce((sum, { partitions }) => sum + partitions.length, 0);
    this.#replan();
  }

  /** Leaders may have changed: finds them, and gives each session the partitions that its broker leads. */
  #replan(refresh = false): void {
    if (this.#closed) return;
    if (this.#planning) {
      this.#planAgain = true;
      return;
    }
    this.#planning = this.#plan(refresh).finally(() => {
      this.#planning = undefined;
      if (this.#planAgain) {
        this.#planAgain = false;
        this.#replan(true);
      }
    });
  }

  async #plan(refresh: boolean): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        if (refresh || attempt > 1) await this.#cluster.refresh([this.topic]);
        const byBroker = await this.#byLeader();
        if (!this.#closed) this.#distribute(byBroker);
        return;
      } catch (error) {
        this.#cluster.logger.debug('leaders of a queue are not known yet', { topic: this.topic, error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, 20 + backoffMs(attempt)));
      }
    }
  }

  async #byLeader(): Promise<Map<number, PartitionId[]>> {
    const byBroker = new Map<number, PartitionId[]>();
    for (const { topicId, partitions } of this.#assignment) {
      for (const partition of partitions) {
        const { brokerId } = await this.#cluster.leader(this.topic, partition);
        const same = byBroker.get(brokerId);
        if (same) same.push(partitionId(topicId, partition));
        else byBroker.set(brokerId, [partitionId(topicId, partition)]);
      }
    }
    return byBroker;
  }

  #distribute(byBroker: ReadonlyMap<number, PartitionId[]>): void {
    for (const brokerId of byBroker.keys()) {
      if (!this.#sessions.has(brokerId)) this.#sessions.set(brokerId, this.#newSession(brokerId));
    }
    for (const [brokerId, session] of this.#sessions) session.partitions.want(byBroker.get(brokerId) ?? []);
    this.#changed();
  }

  #newSession(brokerId: number): ShareSession {
    const { topic, group, memberId } = this;
    const { maxBytes = 16 * 1024 * 1024, batchRecords, answerTimeoutMs = 10_000, onSessionLost } = this.#options;
    return new ShareSession({
      cluster: this.#cluster,
      brokerId,
      group,
      topic,
      memberId,
      maxBytes,
      batchRecords,
      answerTimeoutMs,
      counts: this.#counts,
      onLost: (holds, reason) => {
        this.#sessionsLost += holds.length;
        for (const hold of holds) onSessionLost?.(hold, reason);
      },
      onMoved: () => this.#replan(true),
      onChange: () => this.#changed(),
    });
  }
}

function heldRecord(record: Delivered): HeldRecord {
  return record as HeldRecord;
}
