import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { ClosedError, isRetriable, UnknownTopicError } from '../errors.ts';
import type { LogRecord } from '../logRecord.ts';
import type { Follower, FollowOptions } from '../reader.ts';
import { offsetAt } from '../wire/messages/listOffsets.ts';
import { LeaderLoop } from './leaderLoop.ts';
import { offsetsAtTime } from './offsets.ts';
import { Position } from './position.ts';

/** How soon a partition that was added is noticed. */
const lookAroundMs = 30_000;

/** Follows the partitions of some topics; see `follow`. */
export class LogFollower implements Follower {
  readonly caughtUp: Promise<void>;
  readonly done: Promise<void>;
  readonly #cluster: Cluster;
  readonly #options: FollowOptions;
  readonly #loops = new Map<number, LeaderLoop>();
  readonly #positions = new Map<string, Position>();
  /** Ends as of the beginning, of partitions that have not reached them. */
  readonly #behind = new Map<Position, number>();
  readonly #stop = new AbortController();
  #delivering: Promise<void> = Promise.resolve();
  #announceCaughtUp: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(cluster: Cluster, options: FollowOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.caughtUp = new Promise((resolve, reject) => {
      this.#announceCaughtUp = resolve;
      this.#stop.signal.addEventListener('abort', () => reject(this.#stop.signal.reason), { once: true });
    });
    this.caughtUp.catch(() => {});
    this.done = new Promise((resolve, reject) => {
      this.#fail = (error) => {
        reject(error);
        this.#end(error);
      };
      options.signal.addEventListener('abort', () => {
        resolve();
        this.#end(options.signal.reason);
      });
    });
    if (options.signal.aborted) this.#end(options.signal.reason);
    else void this.#run().catch((error: unknown) => this.#fail(error));
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Records of one partition, in order. Calls never overlap, whichever brokers they come from. */
  deliver(position: Position, records: readonly LogRecord[]): Promise<void> {
    this.#delivering = this.#delivering.then(async () => {
      if (this.signal.aborted) return;
      if (records.length > 0) await this.#options.onRecords(records);
      this.#checkCaughtUp(position);
    });
    this.#delivering.catch((error: unknown) => this.#fail(error));
    return this.#delivering;
  }

  /** The leader of these partitions is not (or cannot be reached) any more. */
  async relocate(positions: readonly Position[], error: unknown, attempt: number): Promise<void> {
    if (!isRetriable(error)) throw error;
    this.#cluster.logger.debug('following is interrupted', { error: String(error), partitions: positions.length });
    await delay(backoffMs(attempt), undefined, { signal: this.signal });
    await this.#refresh();
    for (const position of positions) await this.#place(position);
  }

  fail(error: unknown): void {
    if (!this.signal.aborted) this.#fail(error);
  }

  async #run(): Promise<void> {
    await this.#begin();
    while (!this.signal.aborted) {
      await delay(lookAroundMs, undefined, { signal: this.signal }).catch(() => {});
      if (!this.signal.aborted) await this.#lookAround();
    }
  }

  async #begin(): Promise<void> {
    const { topics, from } = this.#options;
    const cluster = this.#cluster;
    const ends = await this.#patiently(() => offsetsAtTime(cluster, topics, offsetAt.end));
    const time = from === 'start' ? offsetAt.start : from === 'end' ? offsetAt.end : from.time;
    const begin = from === 'end' ? ends : await this.#patiently(() => offsetsAtTime(cluster, topics, time));
    for (const [name, offsets] of begin) {
      const topic = await cluster.topic(name);
      for (const [partition, offset] of offsets.entries()) {
        const position = new Position(topic, partition, offset);
        const end = ends.get(name)?.[partition] ?? offset;
        if (offset < end) this.#behind.set(position, end);
        this.#positions.set(`${name}/${partition}`, position);
      }
    }
    if (this.#behind.size === 0) this.#announceCaughtUp();
    for (const position of this.#positions.values()) await this.#place(position);
  }

  /** Partitions that were added since are read from their start. */
  async #lookAround(): Promise<void> {
    await this.#refresh();
    for (const name of this.#options.topics) {
      const topic = this.#cluster.knownTopic(name);
      for (const { partition } of topic?.partitions ?? []) {
        const key = `${name}/${partition}`;
        if (!topic || this.#positions.has(key)) continue;
        const position = new Position(topic, partition, 0);
        this.#positions.set(key, position);
        await this.#place(position);
      }
    }
  }

  async #place(position: Position): Promise<void> {
    const { brokerId } = await this.#patiently(() => this.#cluster.leader(position.topic, position.partition));
    let loop = this.#loops.get(brokerId);
    if (!loop) {
      loop = new LeaderLoop(this.#cluster, brokerId, this);
      this.#loops.set(brokerId, loop);
    }
    loop.add(position);
  }

  #checkCaughtUp(position: Position): void {
    const end = this.#behind.get(position);
    if (end === undefined || position.offset < end) return;
    this.#behind.delete(position);
    if (this.#behind.size === 0) this.#announceCaughtUp();
  }

  /** Until it succeeds or following ends: a topic may be missing for a while, too. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isRetriable(error) && !(error instanceof UnknownTopicError)) throw error;
        const level = attempt === 1 ? 'warn' : 'debug';
        this.#cluster.logger[level]('cannot follow at present, trying again', { error: String(error) });
        await delay(backoffMs(attempt), undefined, { signal: this.signal });
        await this.#refresh();
      }
    }
  }

  async #refresh(): Promise<void> {
    await this.#cluster.refresh(this.#options.topics).catch((error: unknown) => {
      if (error instanceof ClosedError) throw error;
      this.#cluster.logger.debug('metadata cannot be read at present', { error: String(error) });
    });
  }

  #end(reason: unknown): void {
    this.#stop.abort(reason);
    for (const loop of this.#loops.values()) loop.close();
  }
}
