import type { MetadataResponse, MetadataTopic } from '../wire/messages/metadata.ts';

export interface PartitionMetadata {
  readonly partition: number;
  /** Broker id, -1 while there is no leader. */
  readonly leader: number;
  /** Grows with each leader; a broker that is behind answers an older one. */
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** The topic id (KIP-516), new when a topic is deleted and created again under its name. */
  readonly id: Buffer;
  /** `id` in hexadecimal, for use as a key. */
  readonly idHex: string;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

/** What is known of topics. A leader is replaced only by one of the same or a later epoch (KIP-320): brokers lag behind. */
export class TopicCache {
  readonly #byName = new Map<string, TopicMetadata>();
  readonly #byId = new Map<string, TopicMetadata>();

  get(name: string): TopicMetadata | undefined {
    return this.#byName.get(name);
  }

  byId(idHex: string): TopicMetadata | undefined {
    return this.#byId.get(idHex);
  }

  /** Takes over an answer; topics in `wanted` that it reports as missing are forgotten. Gives the errors by topic. */
  update(response: MetadataResponse): ReadonlyMap<string, number> {
    const errors = new Map<string, number>();
    for (const topic of response.topics) {
      if (topic.name === null) continue;
      if (topic.errorCode !== 0) {
        errors.set(topic.name, topic.errorCode);
        this.forget(topic.name);
      } else {
        this.#put(topic.name, topic);
      }
    }
    return errors;
  }

  forget(name: string): void {
    const topic = this.#byName.get(name);
    if (!topic) return;
    this.#byName.delete(name);
    this.#byId.delete(topic.idHex);
  }

  #put(name: string, { id, partitions }: MetadataTopic): void {
    const idHex = id.toString('hex');
    const known = this.#byName.get(name);
    const same = known?.idHex === idHex ? known.partitions : [];
    const merged: PartitionMetadata[] = [];
    for (const { partition, leader, leaderEpoch } of partitions) {
      const before = same[partition];
      merged[partition] = before && before.leaderEpoch > leaderEpoch ? before : { partition, leader, leaderEpoch };
    }
    if (known && known.idHex !== idHex) this.#byId.delete(known.idHex);
    const topic = { name, id, idHex, partitions: merged };
    this.#byName.set(name, topic);
    this.#byId.set(idHex, topic);
  }
}
