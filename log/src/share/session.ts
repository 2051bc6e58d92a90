import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { ClosedError, KafkaError, throwIfError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';
import { metadata } from '../wire/messages/metadata.ts';
import { AcknowledgementPacing } from './acknowledgementPacing.ts';
import { acquiredRecords } from './acquired.ts';
import type { HeldRecord, Hold } from './delivered.ts';
import { partitionFault, sessionFault, throttledRestMs } from './faults.ts';
import { closeSessionEpoch } from './messages/shareAcknowledge.ts';
import type { ShareFetchResponse } from './messages/shareFetch.ts';
import { Renewals, type Renewed } from './renewals.ts';
import { SessionConnection } from './sessionConnection.ts';
import { SessionPartitions } from './sessionPartitions.ts';
import { acknowledgedTopics, acknowledgeRequest, answerFor, fetchRequest, isSound, nested } from './sessionRequests.ts';
import { type PartitionId, type SessionChanges, SessionState } from './sessionState.ts';
import { type AcknowledgementCounts, SharePartition } from './sharePartition.ts';
import { WakeUp } from './wakeUp.ts';

export interface SessionOptions {
  readonly cluster: Cluster;
  readonly brokerId: number;
  readonly group: string;
  readonly topic: string;
  readonly memberId: string;
  readonly maxBytes: number;
  /** No batch of the queue has more records; undefined where that is not known. */
  readonly batchRecords: number | undefined;
  /** For an answer, beside the time that a long poll takes. */
  readonly answerTimeoutMs: number;
  readonly counts: AcknowledgementCounts;
  /** These holds are over. */
  onLost(holds: readonly Hold[], reason: string): void;
  /** The broker does not serve partitions any more, or cannot be reached: look up topic and leaders anew. */
  onMoved(): void;
  /** It may be polled again, or all that waited is acknowledged: whoever waits looks again. */
  onChange(): void;
}

/** An answer that waited so long and is empty proves something: without a wait the broker may just have been busy with another member. */
const provingWaitMs = 200;

interface Poll {
  readonly maxRecords: number;
  readonly maxWaitMs: number;
  readonly resolve: (records: HeldRecord[]) => void;
}

/**
 * The share session of one member with one broker, on a connection of its own, one request at a time. It heals by itself:
 * whatever ends the session ends every hold within it, and the next poll opens a new one.
 *
 * Two traps of the broker (4.4). Locks belong to the member's id, so a session that is opened anew would not give up
 * those of records whose answer was lost: after a loss a session is opened, closed (that frees them) and opened again. And
 * when a connection ends, the broker ends whatever session its member has at that moment, also one opened since on another
 * connection: so a sound connection is kept, and one that was cut is followed by a pause.
 *
 * A third: a fetch whose answer is throttled has locked its records all the same, and the answer is empty. They come again when
 * their locks end, and each time counts as a delivery. So the session fetches nothing for a while then.
 */
export class ShareSession {
  readonly brokerId: number;
  readonly partitions: SessionPartitions;
  readonly #options: SessionOptions;
  readonly #state = new SessionState();
  readonly #renewals = new Renewals();
  readonly #pacing = new AcknowledgementPacing();
  readonly #wakeUp: WakeUp;
  readonly #connection: SessionConnection;
  #poll: Poll | undefined;
  #running = false;
  #closing = false;
  #closed = false;
  #mayHoldLocks = false;
  #failures = 0;
  #throttledFetches = 0;
  #resumeAt = 0;
  #acknowledgeFailures = 0;
  #acknowledgeAt = 0;
  /** When the last fetch was answered without an error, on the clock of `performance.now()`. */
  lastFetchAt: number | undefined;
  lastError: Error | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.brokerId = options.brokerId;
    this.partitions = new SessionPartitions((id) => new SharePartition(id, options.topic, this, options.counts));
    this.#connection = new SessionConnection(options.cluster, options.brokerId, options.answerTimeoutMs, (reason) => {
      // a request under way is rejected with the same reason
      if (!this.#running && !this.#closed) this.#fail(reason, this.partitions.held === 0);
    });
    this.#wakeUp = new WakeUp(() => {
      void this.#run();
      options.onChange();
    });
  }

  get isOpen(): boolean {
    return this.#state.isOpen;
  }

  get isPolling(): boolean {
    return this.#poll !== undefined;
  }

  /** Whether a poll makes sense now; `onChange` is called when that becomes true. */
  get isReady(): boolean {
    return !this.#poll && !this.#closing && this.#resumeAt <= performance.now() && this.#active().length > 0;
  }

  get holdsRecords(): boolean {
    return this.partitions.held > 0;
  }

  /** Asks for records; never rejects: when it fails it gives none. For a session that `isReady`. */
  poll(maxRecords: number, maxWaitMs: number): Promise<HeldRecord[]> {
    return new Promise((resolve) => {
      this.#poll = { maxRecords, maxWaitMs, resolve };
      void this.#run();
    });
  }

  /**
   * Something waits to be acknowledged, and by that so many records are `ready` in whole batches: once that is due it rides on
   * a poll that is asked for in the same turn, or else goes alone.
   */
  acknowledge(isAccept: boolean, ready: number, now: number): void {
    const dueAt = this.#pacing.added(isAccept, ready, now);
    if (dueAt > now) this.#wakeUp.at(dueAt);
    else if (!this.#running) this.#wakeUp.soon();
  }

  /** Sends what waits to be acknowledged without waiting for more. */
  hurry(): void {
    if (this.partitions.settled) return;
    this.#pacing.hurry(performance.now());
    if (!this.#running) this.#wakeUp.soon();
  }

  renew(records: readonly HeldRecord[]): Promise<Renewed> {
    return new Promise((resolve) => {
      this.#renewals.add(records, resolve);
      if (!this.#running) this.#wakeUp.soon();
    });
  }

  /** Takes no more polls, sends what waits (until the deadline), gives up every lock, ends the connection. */
  async close(deadline: number): Promise<void> {
    this.#closing = true;
    while ((this.#running || !this.partitions.settled) && performance.now() < deadline) {
      await this.#wakeUp.next(Math.min(deadline, performance.now() + 50));
    }
    this.#closed = true;
    this.#wakeUp.stop();
    if (this.#state.isOpen && !this.#running) {
      await this.#connection.send(acknowledgeRequest(this.#options, closeSessionEpoch, [], false)).catch(() => {});
    }
    this.#connection.close();
    this.#lose();
  }

  /** One request after the other, as long as there is something to ask for or to say. */
  async #run(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      // no turn passes between seeing that nothing is to be done and being asked again
      while (!this.#closed && this.#hasWork()) await this.#step();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = false;
    }
    this.#wakeUp.passed();
    if (this.partitions.settled) this.#options.onChange();
  }

  #hasWork(): boolean {
    return (this.#state.isOpen && !this.#renewals.empty) || this.#poll !== undefined || this.#waiting().length > 0;
  }

  async #step(): Promise<void> {
    // here, so that renewals that come meanwhile go first, and times of locks count from when a request really left
    await this.#connection.unthrottled();
    const waiting = this.#waiting();
    if (this.#state.isOpen && !this.#renewals.empty) {
      return this.#sendRenewals();
    }
    if (waiting.length > 0) this.#noteSent();
    if (waiting.length > 0 && (!this.#poll || waiting.some((partition) => this.#goesAlone(partition)))) {
      await this.#sendAcknowledgements(waiting);
    } else if (this.#poll) {
      await this.#fetch(this.#poll, waiting);
    }
  }

  #noteSent(): void {
    const partsDueAt = this.#pacing.sent(this.partitions.partsSince);
    if (partsDueAt !== undefined) this.#wakeUp.at(partsDueAt);
  }

  /** Halves of what was refused should not wait for a long poll; a fetch would take a partition given up into the session. */
  #goesAlone({ id, hasSuspects }: SharePartition): boolean {
    return hasSuspects || !this.partitions.wanted.has(id.key);
  }

  #waiting(): readonly SharePartition[] {
    const now = performance.now();
    if (!this.#state.isOpen || this.#acknowledgeAt > now) return [];
    if (this.#closing || this.#pacing.isDue(now)) this.partitions.breakUp();
    else if (!this.#pacing.hasEnough) return [];
    return this.partitions.waiting();
  }

  #active(): PartitionId[] {
    return this.partitions.active(performance.now());
  }

  async #fetch({ maxRecords, maxWaitMs }: Poll, waiting: readonly SharePartition[]): Promise<void> {
    const active = this.#active();
    if (active.length === 0) return this.#answer([]);
    await this.#connection.open();
    if (!this.#state.isOpen && this.#mayHoldLocks) await this.#giveUpLocks(active);
    const changes = this.#state.changes(active);
    const sentAt = performance.now();
    this.#mayHoldLocks = true;
    const response = await this.#connection.send(
      fetchRequest(this.#options, this.#state.epoch, { maxRecords, maxWaitMs }, changes, waiting),
    );
    this.#succeeded('ShareFetch', response, changes);
    if (changes.added.length > 0) await this.#begin(changes.added, response);
    for (const partition of waiting) {
      this.#acknowledged(partition, answerFor(response.partitions, partition.id)?.acknowledgeErrorCode);
    }
    if (response.throttleTimeMs > 0) this.#rest(response.throttleTimeMs);
    // a throttled answer is empty, whatever there was
    const waited =
      maxWaitMs >= provingWaitMs && performance.now() - sentAt >= provingWaitMs && response.throttleTimeMs === 0;
    const records = this.#received(response, sentAt, waited);
    this.lastFetchAt = performance.now();
    this.#failures = 0;
    if (records.length > 0) this.#throttledFetches = 0;
    this.#answer(records);
  }

  #rest(throttleTimeMs: number): void {
    const restMs = throttledRestMs(++this.#throttledFetches, throttleTimeMs);
    const { cluster, topic, group } = this.#options;
    const level = this.#throttledFetches === 1 ? 'warn' : 'debug';
    cluster.logger[level]('a fetch was throttled: what it locked comes again when the locks end', {
      topic,
      group,
      broker: this.brokerId,
      throttleTimeMs,
      restMs: Math.round(restMs),
    });
    this.#resumeAt = performance.now() + restMs;
    this.#wakeUp.at(this.#resumeAt);
  }

  #answer(records: HeldRecord[]): void {
    const poll = this.#poll;
    this.#poll = undefined;
    poll?.resolve(records);
  }

  #succeeded(
    request: string,
    { errorCode, errorMessage }: { errorCode: number; errorMessage: string | null },
    changes?: SessionChanges,
  ): void {
    throwIfError(errorCode, `${request} for group ${this.#options.group}`, errorMessage);
    this.#state.succeeded(changes);
  }

  async #giveUpLocks(active: readonly PartitionId[]): Promise<void> {
    const opened = await this.#connection.send(
      fetchRequest(
        this.#options,
        this.#state.epoch,
        { maxRecords: 0, maxWaitMs: 0 },
        { added: active, forgotten: [] },
        [],
      ),
    );
    this.#succeeded('ShareFetch', opened);
    this.#succeeded(
      'ShareAcknowledge',
      await this.#connection.send(acknowledgeRequest(this.#options, closeSessionEpoch, [], false)),
    );
    this.#state.reset();
  }

  /**
   * Begins the hold on partitions that have joined the session, with the epoch that their leader itself states; not on those that it
   * does not lead (yet, or any more). Others may know earlier that it is to lead one: until then it states the epoch of the leader
   * before it, and what that one had handed out would look like first deliveries. No lock is lost: such a broker grants none.
   */
  async #begin(added: readonly PartitionId[], response: ShareFetchResponse): Promise<void> {
    const { topics } = await this.#connection.send(metadata([this.#options.topic]));
    for (const id of added) {
      const { errorCode = codes.NONE, errorMessage = null } = answerFor(response.partitions, id) ?? {};
      const described = topics[0]?.partitions.find(({ partition }) => partition === id.partition);
      if (partitionFault(errorCode).lost) this.#partitionFailed(id, errorCode, errorMessage);
      else if (described?.leader === this.brokerId) this.partitions.begin(id, described.leaderEpoch);
      else this.#partitionFailed(id, codes.NOT_LEADER_OR_FOLLOWER, null);
    }
  }

  #received(response: ShareFetchResponse, sentAt: number, waited: boolean): HeldRecord[] {
    const lockedUntil = sentAt + response.lockTimeoutMs;
    let all: HeldRecord[] = [];
    for (const answer of response.partitions) {
      const partition = this.partitions.find(answer.topicId, answer.partition);
      if (!partition?.hold) continue;
      partition.hold.lockMs = response.lockTimeoutMs;
      if (answer.errorCode !== codes.NONE) {
        this.#partitionFailed(partition.id, answer.errorCode, answer.errorMessage);
      } else if (answer.records && answer.acquired.length > 0) {
        const taken = acquiredRecords(answer.records, answer.acquired, partition.hold, lockedUntil);
        partition.received(taken);
        all = all.length === 0 ? taken.records : all.concat(taken.records);
        if (taken.unreadable) {
          const fields = { topic: partition.topic, partition: answer.partition, error: String(taken.unreadable) };
          this.#options.cluster.logger.error('a record batch of a queue cannot be read', fields);
        }
      }
    }
    if (waited && all.length === 0 && isSound(response)) this.partitions.shownEmpty(sentAt);
    return all;
  }

  async #sendAcknowledgements(waiting: readonly SharePartition[]): Promise<void> {
    const request = acknowledgeRequest(this.#options, this.#state.epoch, acknowledgedTopics(waiting), false);
    const response = await this.#connection.send(request);
    this.#succeeded('ShareAcknowledge', response);
    for (const partition of waiting) {
      this.#acknowledged(partition, answerFor(response.partitions, partition.id)?.errorCode);
    }
  }

  #acknowledged(partition: SharePartition, code: number = codes.NONE): void {
    if (code === codes.NONE || code === codes.INVALID_RECORD_STATE) {
      partition.answered(code === codes.NONE ? 'done' : 'invalidState');
      if (partition.hasSuspects) this.#pacing.hurry(performance.now());
      this.#acknowledgeFailures = 0;
    } else if (partitionFault(code).lost) {
      this.#partitionFailed(partition.id, code, null);
    } else {
      partition.answered('retry');
      this.lastError = new KafkaError(code, `acknowledgements of ${partition.topic}/${partition.id.partition}`);
      this.#options.cluster.logger.warn('acknowledgements were not taken, sending them again', {
        error: this.lastError.message,
      });
      this.#acknowledgeAt = performance.now() + 20 + backoffMs(++this.#acknowledgeFailures);
      this.#wakeUp.at(this.#acknowledgeAt);
    }
  }

  async #sendRenewals(): Promise<void> {
    const parts = this.#renewals.take();
    const sentAt = performance.now();
    const topics = nested(parts.map(({ partition, ranges }) => [partition.id, ranges] as const));
    try {
      const response = await this.#connection.send(acknowledgeRequest(this.#options, this.#state.epoch, topics, true));
      this.#succeeded('ShareAcknowledge', response);
      for (const part of parts.splice(0)) {
        const code = answerFor(response.partitions, part.partition.id)?.errorCode ?? codes.NONE;
        if (partitionFault(code).lost) this.#partitionFailed(part.partition.id, code, null);
        this.#renewals.answered(part, code, sentAt + response.lockTimeoutMs);
      }
    } finally {
      this.#renewals.lose(parts);
    }
  }

  /** Leaves a partition out for a while: a session that has it would be answered at once, again and again. */
  #partitionFailed(id: PartitionId, code: number, detail: string | null): void {
    const { lost, pauseMs } = partitionFault(code);
    const error = new KafkaError(code, `queue ${this.#options.topic}/${id.partition}`, detail);
    this.lastError = error;
    this.#options.cluster.logger.warn('a partition of a queue is not served at present', { error: error.message });
    const until = performance.now() + pauseMs * (0.5 + Math.random());
    this.partitions.pause(id, until);
    this.#wakeUp.at(until);
    if (!lost) return;
    // Without this the next fetch would begin no hold on it, and its records would be locked and never seen.
    this.#state.lost(id);
    const hold = this.partitions.lose(id);
    if (hold) this.#options.onLost([hold], error.message);
    this.#options.onMoved();
  }

  /** Whatever went wrong, the session is over. `unused`: nothing was asked nor held, as when a broker closes what has been idle. */
  #fail(cause: unknown, unused = false): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const { keepConnection, pauseMs } = sessionFault(error);
    const { topic, group, cluster } = this.#options;
    this.lastError = error;
    if (!keepConnection) this.#connection.drop();
    this.#resumeAt = performance.now() + pauseMs * (0.5 + Math.random()) + backoffMs(++this.#failures);
    this.#wakeUp.at(this.#resumeAt);
    const lost = this.#lose();
    if (!(error instanceof ClosedError)) {
      const fields = { topic, group, broker: this.brokerId, error: error.message, attempt: this.#failures };
      if (this.#failures === 1 && !unused) cluster.logger.warn('a share session ended, opening a new one', fields);
      else cluster.logger.debug('a share session ended, trying again', fields);
    }
    if (lost.length > 0) this.#options.onLost(lost, error.message);
    this.#options.onMoved();
  }

  #lose(): readonly Hold[] {
    this.#state.reset();
    const lost = this.partitions.loseAll();
    this.#renewals.lose();
    this.#answer([]);
    return lost;
  }
}
