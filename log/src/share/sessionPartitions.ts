import type { Hold } from './delivered.ts';
import { type PartitionId, partitionKey } from './sessionState.ts';
import type { SharePartition } from './sharePartition.ts';

/** The partitions of one share session: those to fetch from, those left out for a moment, and the holds on them. Pure. */
export class SessionPartitions {
  #wanted: ReadonlyMap<string, PartitionId> = new Map();
  readonly #pausedUntil = new Map<string, number>();
  /** Those ever fetched from on this session, also ones given up whose records are not settled yet. */
  readonly #known = new Map<string, SharePartition>();
  readonly #create: (id: PartitionId) => SharePartition;

  constructor(create: (id: PartitionId) => SharePartition) {
    this.#create = create;
  }

  want(partitions: readonly PartitionId[]): void {
    this.#wanted = new Map(partitions.map((id) => [id.key, id]));
    for (const key of this.#pausedUntil.keys()) if (!this.#wanted.has(key)) this.#pausedUntil.delete(key);
    this.forgetFinished();
  }

  get wanted(): ReadonlyMap<string, PartitionId> {
    return this.#wanted;
  }

  /** Those to fetch from now. */
  active(now: number): PartitionId[] {
    const active: PartitionId[] = [];
    for (const [key, id] of this.#wanted) if ((this.#pausedUntil.get(key) ?? 0) <= now) active.push(id);
    return active;
  }

  pause({ key }: PartitionId, until: number): void {
    this.#pausedUntil.set(key, until);
  }

  find(topicId: Buffer, partition: number): SharePartition | undefined {
    return this.#known.get(partitionKey(topicId, partition));
  }

  /** Begins the hold on a partition, unless it was only left out for a while and the hold goes on. */
  begin(id: PartitionId, leaderEpoch: number): void {
    const partition = this.#known.get(id.key) ?? this.#create(id);
    this.#known.set(id.key, partition);
    if (!partition.hold) partition.begin(leaderEpoch);
  }

  /** A fetch of all that is wanted left then, waited, and brought nothing. */
  shownEmpty(at: number): void {
    for (const id of this.active(at)) {
      const hold = this.#known.get(id.key)?.hold;
      if (hold) hold.shownEmptyAt = at;
    }
  }

  /** Since when acknowledgements have waited for others of their batch, on the clock of `performance.now()`. */
  get partsSince(): number | undefined {
    let since: number | undefined;
    for (const { partsSince } of this.#known.values()) {
      if (partsSince !== undefined && partsSince < (since ?? Number.POSITIVE_INFINITY)) since = partsSince;
    }
    return since;
  }

  /** Lets acknowledgements of parts of batches be sent. */
  breakUp(): void {
    for (const partition of this.#known.values()) partition.breakUp();
  }

  /** With something to acknowledge. */
  waiting(): SharePartition[] {
    const waiting: SharePartition[] = [];
    for (const partition of this.#known.values()) if (partition.hasWaiting) waiting.push(partition);
    return waiting;
  }

  get settled(): boolean {
    for (const partition of this.#known.values()) if (!partition.settled) return false;
    return true;
  }

  /** Records delivered and not settled. */
  get held(): number {
    let held = 0;
    for (const partition of this.#known.values()) held += partition.held;
    return held;
  }

  lose({ key }: PartitionId): Hold | undefined {
    const partition = this.#known.get(key);
    this.#known.delete(key);
    return partition?.lose();
  }

  loseAll(): Hold[] {
    const holds: Hold[] = [];
    for (const partition of this.#known.values()) {
      const hold = partition.lose();
      if (hold) holds.push(hold);
    }
    this.#known.clear();
    return holds;
  }

  /** Drops what is neither wanted nor held any more. */
  forgetFinished(): void {
    for (const [key, partition] of this.#known) {
      if (!this.#wanted.has(key) && partition.held === 0 && partition.settled) this.#known.delete(key);
    }
  }
}
