import { retrying } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { isRetriable, KafkaError, UnknownTopicError } from '../errors.ts';
import { listOffsets, offsetAt, type PartitionOffset, type PartitionTime } from '../wire/messages/listOffsets.ts';

/** Offsets by topic, then by partition number. */
export type Offsets = ReadonlyMap<string, readonly number[]>;

const patienceMs = 30_000;

/** Asks the leaders of all partitions of these topics, each leader once, and again for those that could not say. */
export async function offsetsAtTime(cluster: Cluster, topics: readonly string[], time: number): Promise<Offsets> {
  const offsets = new Map<string, number[]>();
  for (const name of topics) offsets.set(name, []);
  // Partitions may have been added since these topics were last looked at.
  await retrying(() => cluster.refresh(topics), { forMs: patienceMs });
  await retrying(
    async () => {
      const open: Omit<PartitionTime, 'leaderEpoch'>[] = [];
      for (const [name, known] of offsets) {
        const { partitions } = await cluster.topic(name);
        for (const { partition } of partitions)
          if (known[partition] === undefined) open.push({ topic: name, partition, time });
      }
      const answers = await askLeaders(cluster, open);
      for (const { topic, partition, offset } of answers.found) offsets.get(topic)![partition] = offset;
      if (answers.error) throw answers.error;
    },
    { forMs: patienceMs, onRetry: (error) => refreshFor(cluster, topics, error) },
  );
  return time >= 0 ? withEnds(cluster, offsets) : offsets;
}

/** The offset of one partition. */
export async function offsetAtTime(cluster: Cluster, topic: string, partition: number, time: number): Promise<number> {
  return retrying(
    async () => {
      const { found, error } = await askLeaders(cluster, [{ topic, partition, time }]);
      if (error) throw error;
      const { offset } = found[0]!;
      return offset < 0 && time >= 0 ? offsetAtTime(cluster, topic, partition, offsetAt.end) : offset;
    },
    { forMs: patienceMs, onRetry: (error) => refreshFor(cluster, [topic], error) },
  );
}

/** Where no record is of that time or later, reading begins at the end. */
async function withEnds(cluster: Cluster, offsets: ReadonlyMap<string, number[]>): Promise<Offsets> {
  const behind = [...offsets].filter(([, ofTopic]) => ofTopic.includes(-1)).map(([topic]) => topic);
  if (behind.length === 0) return offsets;
  const ends = await offsetsAtTime(cluster, behind, offsetAt.end);
  for (const topic of behind) {
    const ofTopic = offsets.get(topic)!;
    for (const [partition, offset] of ofTopic.entries())
      if (offset < 0) ofTopic[partition] = ends.get(topic)![partition]!;
  }
  return offsets;
}

async function askLeaders(
  cluster: Cluster,
  wanted: readonly Omit<PartitionTime, 'leaderEpoch'>[],
): Promise<{ found: PartitionOffset[]; error: unknown }> {
  const byLeader = new Map<number, PartitionTime[]>();
  let error: unknown;
  for (const { topic, partition, time } of wanted) {
    try {
      const { brokerId, leaderEpoch } = await cluster.leader(topic, partition);
      const ofLeader = byLeader.get(brokerId) ?? [];
      byLeader.set(brokerId, ofLeader);
      ofLeader.push({ topic, partition, time, leaderEpoch });
    } catch (cause) {
      error = worse(error, cause);
    }
  }
  const found: PartitionOffset[] = [];
  const asking = [...byLeader].map(async ([brokerId, partitions]) => {
    const answer = await cluster.request(brokerId, listOffsets(partitions));
    for (const partition of answer.partitions) {
      const { errorCode, topic, partition: number } = partition;
      if (errorCode === 0) found.push(partition);
      else error = worse(error, new KafkaError(errorCode, `Offset of ${topic}/${number}`));
    }
  });
  for (const result of await Promise.allSettled(asking)) {
    if (result.status === 'rejected') error = worse(error, result.reason);
  }
  return { found, error };
}

/** One error for all: one that trying again does not mend, where there is any. */
function worse(error: unknown, other: unknown): unknown {
  return error === undefined || !isRetriable(other) ? other : error;
}

async function refreshFor(cluster: Cluster, topics: readonly string[], error: unknown): Promise<void> {
  if (error instanceof UnknownTopicError) return;
  await cluster.refresh(topics).catch((failure: unknown) => {
    cluster.logger.debug('metadata cannot be read at present', { error: String(failure) });
  });
}
