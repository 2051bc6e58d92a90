import type { Cluster } from '@taskflow/log/cluster';
import { UnknownTopicError } from '@taskflow/log/errors';
import { endOffsets } from '@taskflow/log/reader';
import { eventsTopic, PRIORITIES, queueTopic } from '@taskflow/schemas/topics';
import { partitionKey } from '@taskflow/service/positions';
import type { Registrations } from '../types.ts';
import type { Positions } from './viewPositions.ts';

/** Where the logs of all task types end now: whatever was acknowledged before the call lies before these offsets. */
export async function logEnds(cluster: Cluster, registrations: Pick<Registrations, 'all'>): Promise<Positions> {
  const topics = new Set<string>();
  for (const { type } of registrations.all()) {
    for (const priority of PRIORITIES) topics.add(queueTopic(type, priority)).add(eventsTopic(type, priority));
  }
  for (;;) {
    try {
      return byPartition(await endOffsets(cluster, [...topics]));
    } catch (error) {
      // No task can be in a topic that does not exist (yet): the others still have an end.
      if (!(error instanceof UnknownTopicError) || !topics.delete(error.topic)) throw error;
    }
  }
}

function byPartition(offsets: Awaited<ReturnType<typeof endOffsets>>): Positions {
  const ends = new Map<string, number>();
  for (const [topic, ofTopic] of offsets) {
    for (const [partition, offset] of ofTopic.entries()) ends.set(partitionKey(topic, partition), offset);
  }
  return ends;
}
