/** One partition, named as share requests name it. */
export interface PartitionId {
  readonly topicId: Buffer;
  readonly partition: number;
  /** Topic id in hexadecimal and partition, for use as a key. */
  readonly key: string;
}

export function partitionId(topicId: Buffer, partition: number): PartitionId {
  return { topicId, partition, key: partitionKey(topicId, partition) };
}

export function partitionKey(topicId: Buffer, partition: number): string {
  return `${topicId.toString('hex')}/${partition}`;
}

export interface SessionChanges {
  readonly added: readonly PartitionId[];
  readonly forgotten: readonly PartitionId[];
}

const openingEpoch = 0;
const lastEpoch = 0x7fff_ffff;

/**
 * A share session as its broker keeps it: which partitions it holds, and the epoch that numbers its requests. 0 opens it
 * (that request may carry no acknowledgement), each request that succeeds adds one, and after the last comes 1.
 */
export class SessionState {
  #epoch = openingEpoch;
  #partitions = new Map<string, PartitionId>();
  /** Those in the session of which the broker said that it does not serve them. */
  readonly #lost = new Set<string>();

  /** The epoch of the next request. */
  get epoch(): number {
    return this.#epoch;
  }

  get isOpen(): boolean {
    return this.#epoch !== openingEpoch;
  }

  /** What a fetch must say so that the session holds just the partitions wanted. */
  changes(wanted: Iterable<PartitionId>): SessionChanges {
    const left = new Map(this.#partitions);
    const added: PartitionId[] = [];
    for (const id of wanted) {
      if (!left.delete(id.key) || this.#lost.has(id.key)) added.push(id);
    }
    return { added, forgotten: [...left.values()] };
  }

  /** A request with the present epoch was answered without an error for the whole. */
  succeeded(changes?: SessionChanges): void {
    for (const { key } of changes?.forgotten ?? []) {
      this.#partitions.delete(key);
      this.#lost.delete(key);
    }
    for (const id of changes?.added ?? []) {
      this.#partitions.set(id.key, id);
      this.#lost.delete(id.key);
    }
    this.#epoch = this.#epoch === lastEpoch ? openingEpoch + 1 : this.#epoch + 1;
  }

  /** The broker did not serve a partition of the session: it is to be asked for like a new one, or else forgotten. */
  lost({ key }: PartitionId): void {
    if (this.#partitions.has(key)) this.#lost.add(key);
  }

  /** The session is gone: the next request opens a new one. */
  reset(): void {
    this.#epoch = openingEpoch;
    this.#partitions = new Map();
    this.#lost.clear();
  }
}

/** Entries grouped by topic, as share requests nest them. */
export function byTopic<T>(
  entries: Iterable<readonly [PartitionId, T]>,
): { topicId: Buffer; partitions: (readonly [partition: number, T])[] }[] {
  const topics: { topicId: Buffer; partitions: (readonly [number, T])[] }[] = [];
  for (const [{ topicId, partition }, value] of entries) {
    const topic = topics.find((candidate) => candidate.topicId.equals(topicId));
    if (topic) topic.partitions.push([partition, value]);
    else topics.push({ topicId, partitions: [[partition, value]] });
  }
  return topics;
}
