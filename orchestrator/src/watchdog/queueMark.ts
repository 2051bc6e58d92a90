import type { Cluster } from '@taskflow/log/cluster';
import { type GroupOffset, groupOffsets } from '@taskflow/log/groupOffsets';
import { endOffsets, readRange, startOffsets } from '@taskflow/log/reader';
import { eventsTopic, queueTopic, shareGroup } from '@taskflow/schemas/topics';
import { partitionKey } from '@taskflow/service/positions';

export interface Queue {
  readonly type: string;
  readonly priority: string;
}

/** How far the share group of a queue was at a moment, and where everything lies on the log that had to do with that. */
export interface QueueMark extends Queue {
  /** By the clock of the timers, from before the questions left. */
  readonly askedAt: number;
  /** For each partition: what lies before this offset is settled, or trimmed from the log. */
  readonly passed: readonly number[];
  /** What has read up to these positions, in both families, has seen what settled it. By `partitionKey`. */
  readonly ends: ReadonlyMap<string, number>;
  /** No task whose record lies before `passed` was submitted later than this, by the broker's clock. */
  readonly submittedUpTo: number;
}

/**
 * Asks how far the group has come. A group's stored start moves only with the next change after the one that moved it: at a queue
 * that has become idle its lag says more. Of both, what was asked for first counts for less: nothing is taken for settled that is not.
 */
export async function markQueue(cluster: Cluster, { type, priority }: Queue, askedAt: number): Promise<QueueMark> {
  const [queue, events] = [queueTopic(type, priority), eventsTopic(type, priority)];
  const before = (await endOffsets(cluster, [queue])).get(queue) ?? [];
  const [offsets, starts] = await Promise.all([
    groupOffsets(cluster, shareGroup(type, priority), queue),
    startOffsets(cluster, [queue]),
  ]);
  const after = await endOffsets(cluster, [queue, events]);
  const passed = before.map((end, partition) => {
    const ofGroup = settledBefore(offsets[partition], end);
    return Math.max(ofGroup, starts.get(queue)?.[partition] ?? 0);
  });
  const ends = new Map<string, number>();
  for (const [topic, of] of after)
    for (const [partition, end] of of.entries()) ends.set(partitionKey(topic, partition), end);
  const heads = await Promise.all(passed.map((offset, partition) => appendTime(cluster, queue, partition, offset)));
  return { type, priority, askedAt, passed, ends, submittedUpTo: Math.max(...heads.map((time) => time ?? askedAt)) };
}

function settledBefore(offset: GroupOffset | undefined, end: number): number {
  if (offset?.startOffset === undefined) return 0;
  return offset.lag === 0 ? Math.max(end, offset.startOffset) : offset.startOffset;
}

/** When the record was appended that lies at `offset`; undefined where there is none yet. */
async function appendTime(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number,
): Promise<number | undefined> {
  const range = { topic, partition, from: { offset }, to: { offset: offset + 1 }, maxBytes: 1 };
  for await (const records of readRange(cluster, range)) {
    const first = records[0];
    if (first !== undefined) return first.appendedAt;
  }
  return undefined;
}
