import type { Consumer } from 'kafkajs';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { quietRequestQueues } from './quietRequestQueue.ts';

/** Partition numbers by topic. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export interface GroupMemberOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  /** The topics wanted at present; those that do not exist are left out. */
  readonly topics: () => readonly string[];
  /** Without a heartbeat for so long the group takes a member's partitions away. */
  readonly sessionTimeoutMs: number;
  /** Called again and again with the same one. */
  onAssigned(assignment: Assignment): void;
  /** The partitions may be someone else's now. */
  onLost(reason: string): void;
  /** The group cannot be joined, and trying again is in vain. */
  onFatal(error: Error): void;
}

export type GroupMemberState = 'joining' | 'member' | 'rejoining' | 'left';

const heartbeatIntervalMs = 1_000;
/** How often kafkajs looks whether a heartbeat is due while it has nothing to fetch. */
const pollMs = 500;
const restartBackoff = { baseMs: 200, capMs: 5_000 };
/** With this many session time-outs without a sign of life it is not kafkajs that is going to mend it. */
const patientSessions = 3;
const disconnectTimeoutMs = 5_000;

/**
 * A member of a consumer group by kafkajs, which here shares out partitions and does nothing else: every topic is paused
 * before its first fetch. Whatever ends kafkajs's consumer, a new one takes its place.
 */
export class GroupMember {
  state: GroupMemberState = 'joining';
  /** On the clock of `performance.now()`. */
  lastHeartbeatAt: number | undefined;
  lastError: Error | undefined;
  readonly #options: GroupMemberOptions;
  #consumer: Consumer | undefined;
  #subscribed: readonly string[] = [];
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();
  #failures = 0;
  #assignment: Assignment = new Map();
  #assigned = false;
  #left = false;
  #startedAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  start(): void {
    quietRequestQueues();
    this.#watch = setInterval(() => this.#checkSession(), 1_000);
    this.#change(() => this.#replace());
  }

  /** Joins anew if the topics wanted (and there) are others than before. */
  topicsChanged(): Promise<void> {
    this.#change(async () => {
      const topics = await this.#existingTopics();
      if (topics.join() === this.#subscribed.join()) return;
      // alone, nobody reads these partitions meanwhile; with others, the group gives them away in the next moment
      if (this.#consumer && (await this.#isAlone(this.#consumer)) === false)
        this.#lost('the topics of the group changed');
      await this.#replace(topics);
    });
    return this.#changing;
  }

  /** Shown by tools as the group's progress, and used for nothing else: what fails is dropped. */
  async commit(offsets: ReadonlyMap<string, ReadonlyMap<number, number>>): Promise<void> {
    const entries = [...offsets].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
    );
    if (!this.#consumer || !this.#assigned || entries.length === 0) return;
    await this.#consumer.commitOffsets(entries).catch((error: unknown) => {
      this.#options.cluster.logger.debug('offsets for display were not committed', { error: String(error) });
    });
  }

  async leave(): Promise<void> {
    this.#left = true;
    clearInterval(this.#watch);
    clearTimeout(this.#restart);
    await this.#changing;
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer) await disconnected(consumer);
    this.state = 'left';
  }

  #change(work: () => Promise<void>): void {
    this.#changing = this.#changing.then(async () => {
      if (this.#left) return;
      try {
        await work();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  /** A new consumer is connected before the old one leaves, so that the time in between is short. */
  async #replace(known?: readonly string[]): Promise<void> {
    const { cluster, groupId, sessionTimeoutMs } = this.#options;
    const topics = known ?? (await this.#existingTopics());
    const old = this.#consumer;
    this.#consumer = undefined;
    this.#assignment = new Map();
    this.#subscribed = topics;
    if (topics.length === 0) {
      if (old) await disconnected(old);
      return;
    }
    const consumer = cluster.kafkajs.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxWaitTimeInMs: pollMs,
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    this.#listen(consumer);
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    } finally {
      if (old) await disconnected(old);
    }
    this.#consumer = consumer;
    this.#startedAt = performance.now();
    await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
  }

  #listen(consumer: Consumer): void {
    const { GROUP_JOIN, HEARTBEAT, CRASH } = consumer.events;
    const isCurrent = () => this.#consumer === consumer && !this.#left;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (!isCurrent()) return;
      // in this turn, so before kafkajs fetches anything
      consumer.pause(this.#subscribed.map((topic) => ({ topic })));
      this.#assignment = new Map(Object.entries(payload.memberAssignment));
      this.#alive();
    });
    consumer.on(HEARTBEAT, () => {
      if (isCurrent()) this.#alive();
    });
    consumer.on(CRASH, ({ payload }) => {
      if (isCurrent()) this.#failed(payload.error);
    });
  }

  /** The group knows this member: its partitions are (or, after a silence that the group did not mind, still are) its own. */
  #alive(): void {
    this.lastHeartbeatAt = performance.now();
    this.#failures = 0;
    this.lastError = undefined;
    this.state = 'member';
    this.#assigned = true;
    this.#options.onAssigned(this.#assignment);
  }

  #failed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.lastError = error;
    if (this.#left) return;
    this.state = 'rejoining';
    if (!mayPass(error)) {
      this.#options.onFatal(error);
      return;
    }
    const { cluster, groupId } = this.#options;
    cluster.logger.warn('the consumer group was lost, joining again', { groupId, error: error.message });
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.#change(() => this.#replace()), backoffMs(++this.#failures, restartBackoff));
  }

  #checkSession(): void {
    const { sessionTimeoutMs } = this.#options;
    const now = performance.now();
    if (this.lastHeartbeatAt !== undefined && now - this.lastHeartbeatAt > sessionTimeoutMs) {
      this.#lost('no heartbeat within the session time-out');
    }
    const quietMs = now - Math.max(this.lastHeartbeatAt ?? 0, this.#startedAt);
    if (this.#consumer && quietMs > patientSessions * sessionTimeoutMs) {
      this.#options.cluster.logger.warn('a consumer group member gives no sign of life, replacing it', {
        groupId: this.#options.groupId,
      });
      this.#startedAt = performance.now();
      this.#change(() => this.#replace());
    }
  }

  #lost(reason: string): void {
    if (!this.#assigned) return;
    this.#assigned = false;
    this.state = 'rejoining';
    this.#options.onLost(reason);
  }

  async #isAlone(consumer: Consumer): Promise<boolean> {
    const { members } = await consumer.describeGroup();
    return members.length <= 1;
  }

  /** kafkajs cannot run with a topic that does not exist (its #252). */
  async #existingTopics(): Promise<readonly string[]> {
    const { cluster, topics } = this.#options;
    const wanted = [...new Set(topics())].sort();
    await cluster.refresh(wanted);
    return wanted.filter((topic) => cluster.knownTopic(topic) !== undefined);
  }
}

async function disconnected(consumer: Consumer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, disconnectTimeoutMs);
  });
  await Promise.race([consumer.disconnect().catch(() => {}), patience]);
  clearTimeout(timer);
}

/** By kafkajs's own measure, and whatever came of the network. */
function mayPass(error: Error & { retriable?: boolean; cause?: unknown }): boolean {
  if (error.name === 'KafkaJSNumberOfRetriesExceeded' || error.retriable === true) return true;
  if (/Connection|Timeout|Broker|ClusterMetadataNotFound|GroupCoordinatorNotFound/.test(error.name)) return true;
  return error.cause instanceof Error && mayPass(error.cause);
}
