import type { SystemAddresses } from '@taskflow/embedded/system';
import { connectCluster } from '@taskflow/log/cluster';
import { readRange } from '@taskflow/log/reader';
import { connectRegistry } from '@taskflow/log/registry';
import { PRIORITIES, type Priority } from '@taskflow/schemas/priorities';
import { eventsTopic } from '@taskflow/schemas/topics';

/** One start of a task, and its end where that start came to one. Times in milliseconds since 1970, by the worker's clock. */
export interface TaskRun {
  readonly taskId: string;
  readonly priority: Priority;
  readonly workerId: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** All starts of a type's tasks so far, from the log itself, in order of time. */
export async function readTaskRuns(addresses: SystemAddresses, type: string): Promise<readonly TaskRun[]> {
  const cluster = await connectCluster({ brokers: [addresses.brokers], clientId: 'bench' });
  try {
    const { codec } = await connectRegistry({ url: addresses.registryUrl });
    const runs: { -readonly [Key in keyof TaskRun]: TaskRun[Key] }[] = [];
    const latest = new Map<string, (typeof runs)[number]>();
    for (const priority of PRIORITIES) {
      const topic = eventsTopic(type, priority);
      for (const { partition } of (await cluster.topic(topic)).partitions) {
        for await (const records of readRange(cluster, { topic, partition, from: 'start' })) {
          for (const { value } of records) {
            const event = codec.decode(value!);
            if (event.event === 'TaskStarted') {
              const { taskId, workerId, occurredAt } = event;
              const run = { taskId, priority, workerId, startedAt: occurredAt, endedAt: undefined };
              runs.push(run);
              latest.set(`${taskId} ${workerId}`, run);
            } else if (event.event === 'TaskSucceeded') {
              const run = latest.get(`${event.taskId} ${event.workerId}`);
              if (run) run.endedAt = event.occurredAt;
            }
          }
        }
      }
    }
    return runs.sort((a, b) => a.startedAt - b.startedAt);
  } finally {
    await cluster.close();
  }
}
