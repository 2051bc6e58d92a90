import { codes } from '../wire/errorCodes.ts';
import type { AcknowledgementRange } from './acknowledgements.ts';
import { acquisitionOf } from './acquisition.ts';
import type { TopicAcknowledgements } from './messages/acknowledgementBatches.ts';
import { shareAcknowledge } from './messages/shareAcknowledge.ts';
import { type ShareFetchResponse, shareFetch } from './messages/shareFetch.ts';
import { byTopic, type PartitionId, type SessionChanges } from './sessionState.ts';
import type { SharePartition } from './sharePartition.ts';

/** Who asks. */
interface Member {
  readonly group: string;
  readonly memberId: string;
}

/** A fetch that also says which partitions join and leave the session, and what waits to be acknowledged. */
export function fetchRequest(
  {
    group,
    memberId,
    maxBytes,
    batchRecords,
  }: Member & {
    readonly maxBytes: number;
    readonly batchRecords: number | undefined;
  },
  sessionEpoch: number,
  { maxRecords, maxWaitMs }: { readonly maxRecords: number; readonly maxWaitMs: number },
  changes: SessionChanges,
  waiting: readonly SharePartition[],
) {
  const topics = fetchTopics(changes, waiting);
  const forgotten = forgottenTopics(changes);
  const acquisition = acquisitionOf(maxRecords, batchRecords);
  return shareFetch({ group, memberId, sessionEpoch, maxWaitMs, maxBytes, ...acquisition, topics, forgotten });
}

export function acknowledgeRequest(
  { group, memberId }: Member,
  sessionEpoch: number,
  topics: TopicAcknowledgements[],
  renews: boolean,
) {
  return shareAcknowledge({ group, memberId, sessionEpoch, renews, topics });
}

/** What a fetch says about partitions: those that join the session, and what waits to be acknowledged. */
function fetchTopics(changes: SessionChanges, waiting: readonly SharePartition[]): TopicAcknowledgements[] {
  const entries = new Map<string, readonly [PartitionId, readonly AcknowledgementRange[]]>();
  for (const id of changes.added) entries.set(id.key, [id, []]);
  for (const partition of waiting) entries.set(partition.id.key, [partition.id, partition.take()]);
  return nested(entries.values());
}

function forgottenTopics(changes: SessionChanges): { topicId: Buffer; partitions: number[] }[] {
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

/** Nothing in it failed, and nothing was acquired, be it readable or not. */
export function isSound({ partitions }: ShareFetchResponse): boolean {
  return partitions.every(({ errorCode, acquired }) => errorCode === codes.NONE && acquired.length === 0);
}
