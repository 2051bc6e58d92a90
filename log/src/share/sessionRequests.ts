import type { AcknowledgementRange } from './acknowledgements.ts';
import type { TopicAcknowledgements } from './messages/acknowledgementBatches.ts';
import { byTopic, type PartitionId, type SessionChanges } from './sessionState.ts';
import type { SharePartition } from './sharePartition.ts';

/** What a fetch says about partitions: those that join the session, and what waits to be acknowledged. */
export function fetchTopics(changes: SessionChanges, waiting: readonly SharePartition[]): TopicAcknowledgements[] {
  const entries = new Map<string, readonly [PartitionId, readonly AcknowledgementRange[]]>();
  for (const id of changes.added) entries.set(id.key, [id, []]);
  for (const partition of waiting) entries.set(partition.id.key, [partition.id, partition.take()]);
  return nested(entries.values());
}

export function forgottenTopics(changes: SessionChanges): { topicId: Buffer; partitions: number[] }[] {
  return byTopic(changes.forgotten.map((id) => [id, undefined] as const)).map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(([partition]) => partition),
  }));
}

export function acknowledgedTopics(waiting: readonly SharePartition[]): TopicAcknowledgements[] {
  return nested(waiting.map((partition) => [partition.id, partition.take()] as const));
}

export function nested(
  entries: Iterable<readonly [PartitionId, readonly AcknowledgementRange[]]>,
): TopicAcknowledgements[] {
  return byTopic(entries).map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(([partition, ranges]) => ({ partition, ranges })),
  }));
}

/** A partition's part of an answer; the broker may leave out partitions without records or errors. */
export function answerFor<T extends { readonly topicId: Buffer; readonly partition: number }>(
  partitions: readonly T[],
  { topicId, partition }: PartitionId,
): T | undefined {
  return partitions.find((answer) => answer.partition === partition && answer.topicId.equals(topicId));
}
