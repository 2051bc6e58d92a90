import type { Cluster } from '@taskflow/log/cluster';
import { endOffsets, type Offsets, readRange } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import { PRIORITIES } from '@taskflow/schemas/priorities';
import { eventsTopic } from '@taskflow/schemas/topics';

/** A way into the log. */
export interface LogAccess {
  readonly cluster: Cluster;
  readonly codec: Codec;
}

/** A place on the log, to read on from: the end that the events of a type have now. */
export function markLog({ cluster }: LogAccess, type: string): Promise<Offsets> {
  return endOffsets(cluster, eventTopics(type));
}

/**
 * When the broker appended each `TaskSucceeded` of a type since a mark, in milliseconds since 1970, in order. Independent of all
 * consumers, and read afterwards: it costs nothing while it is measured.
 */
export async function endsSince(
  { cluster, codec }: LogAccess,
  type: string,
  mark: Offsets,
): Promise<readonly number[]> {
  const ends: number[] = [];
  for (const topic of eventTopics(type)) {
    for (const { partition } of (await cluster.topic(topic)).partitions) {
      const offset = mark.get(topic)?.[partition] ?? 0;
      for await (const records of readRange(cluster, { topic, partition, from: { offset } })) {
        for (const { value, appendedAt } of records) {
          if (value !== null && codec.nameOf(value) === 'TaskSucceeded') ends.push(appendedAt);
        }
      }
    }
  }
  return ends.sort((a, b) => a - b);
}

function eventTopics(type: string): string[] {
  return PRIORITIES.map((priority) => eventsTopic(type, priority));
}
