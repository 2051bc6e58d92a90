import type { BrokerConnection, Cluster } from '../cluster.ts';
import { isRetriable, throwIfError } from '../errors.ts';
import { type FetchedPartition, fetch } from '../wire/messages/fetch.ts';
import type { LogFollower } from './follower.ts';
import type { Position } from './position.ts';

const mebibyte = 1024 * 1024;
/** The broker answers at once when there is something; this only bounds how long a partition newly added waits. */
const limits = { maxWaitMs: 2_000, maxBytes: 8 * mebibyte, partitionMaxBytes: 2 * mebibyte };

/** Long polls, one after the other, to one broker for the partitions that it leads, over a connection of its own. */
export class LeaderLoop {
  readonly #cluster: Cluster;
  readonly #brokerId: number;
  readonly #follower: LogFollower;
  readonly #positions = new Set<Position>();
  #connection: BrokerConnection | undefined;
  #running = false;
  #failures = 0;

  constructor(cluster: Cluster, brokerId: number, follower: LogFollower) {
    this.#cluster = cluster;
    this.#brokerId = brokerId;
    this.#follower = follower;
  }

  add(position: Position): void {
    this.#positions.add(position);
    if (this.#running || this.#follower.signal.aborted) return;
    this.#running = true;
    // Those added in the same turn are in the first fetch already.
    queueMicrotask(() => {
      this.#run().catch((error: unknown) => this.#follower.fail(error));
    });
  }

  close(): void {
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#follower;
    try {
      while (this.#positions.size > 0 && !signal.aborted) {
        try {
          await this.#fetch();
        } catch (error) {
          if (signal.aborted) return;
          if (!isRetriable(error)) throw error;
          this.#connection?.close();
          await this.#giveUp([...this.#positions], error);
        }
      }
    } finally {
      this.#running = false;
      this.#connection?.close();
    }
  }

  async #fetch(): Promise<void> {
    if (!this.#connection || this.#connection.isClosed) {
      this.#connection = await this.#cluster.openConnection(this.#brokerId);
    }
    const asked = [...this.#positions];
    const positions = asked.map((position) =>
      position.fetchPosition(
        this.#cluster.knownTopic(position.topic)?.partitions[position.partition]?.leaderEpoch ?? -1,
      ),
    );
    const { errorCode, partitions } = await this.#connection.send(fetch(positions, limits));
    throwIfError(errorCode, `Fetch from broker ${this.#connection.broker}`);
    const byKey = new Map(asked.map((position) => [`${position.topicIdHex}/${position.partition}`, position]));
    for (const answer of partitions) {
      const position = byKey.get(`${answer.topicIdHex}/${answer.partition}`);
      if (position) await this.#take(position, answer);
    }
  }

  async #take(position: Position, answer: FetchedPartition): Promise<void> {
    try {
      const records = await position.take(this.#cluster, answer);
      this.#failures = 0;
      if (records.length > 0) {
        // The broker fills its answer in the order of the request: who has had something is last the next time.
        this.#positions.delete(position);
        this.#positions.add(position);
      }
      await this.#follower.deliver(position, records);
    } catch (error) {
      if (!isRetriable(error)) throw error;
      await this.#giveUp([position], error);
    }
  }

  async #giveUp(positions: readonly Position[], error: unknown): Promise<void> {
    for (const position of positions) this.#positions.delete(position);
    await this.#follower.relocate(positions, error, ++this.#failures);
  }
}
