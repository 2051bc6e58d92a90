import type { Cluster } from '@taskflow/log/cluster';
import { groupOffsets } from '@taskflow/log/groupOffsets';
import { endOffsets, lastRecordOfOldLeader, scanRange } from '@taskflow/log/reader';
import { eventsTopic, type Priority, queueTopic, shareGroup } from '@taskflow/schemas/topics';
import type { QueueFacts } from './runtime/ports.ts';

/** For one question: who asks asks again. */
const PATIENCE_MS = 5_000;

/** What the cluster says of the queue of a type and priority, and of its events. */
export function queueFacts(cluster: Cluster, type: string, priority: Priority): QueueFacts {
  const queue = queueTopic(type, priority);
  const events = eventsTopic(type, priority);
  return {
    async groupStart(partition) {
      const offsets = await groupOffsets(cluster, shareGroup(type, priority), queue);
      return offsets.find((offset) => offset.partition === partition)?.startOffset;
    },
    async eventsEnds() {
      return (await endOffsets(cluster, [events])).get(events)!;
    },
    async lastEventOfOldLeader(eventsPartition) {
      // With several brokers the leaders of queue and events may have changed at different times: then it bounds nothing.
      if (cluster.brokerIds.length > 1) return undefined;
      return (await lastRecordOfOldLeader(cluster, events, eventsPartition))?.appendedAt;
    },
    scanEvents(partition, from, onRecords) {
      // A broker's time stamps are of whole milliseconds.
      const start = 'time' in from ? { time: Math.floor(from.time) } : from;
      return scanRange(cluster, { topic: events, partition, from: start, patienceMs: PATIENCE_MS }, onRecords);
    },
  };
}
