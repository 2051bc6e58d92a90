import type { Cluster } from '@taskflow/log/cluster';
import { readRange } from '@taskflow/log/reader';
import type { TaskQueued } from '@taskflow/schemas/events';
import { codec } from './testApi.ts';

export interface QueueRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly event: TaskQueued;
}

/** All that a queue topic (of one partition) holds now. */
export async function queueRecords(cluster: Cluster, topic: string): Promise<QueueRecord[]> {
  const records: QueueRecord[] = [];
  for await (const batch of readRange(cluster, { topic, partition: 0, from: 'start', to: 'end' })) {
    for (const { partition, offset, key, value } of batch) {
      const event = codec.decode(value as Buffer) as TaskQueued;
      records.push({ partition, offset, key: String(key), event });
    }
  }
  return records;
}
