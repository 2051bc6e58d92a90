import { type Offsets, readRange } from '@taskflow/log/reader';
import { PRIORITIES, type Priority } from '@taskflow/schemas/priorities';
import { eventsTopic } from '@taskflow/schemas/topics';
import type { LogAccess } from './ends.ts';

/** One start of a task, and its end where that start came to one. Times in milliseconds since 1970. */
export interface TaskRun {
  readonly taskId: string;
  readonly priority: Priority;
  readonly workerId: string;
  /** How often the queue had handed out its record, this time included. */
  readonly delivery: number;
  /** By the worker's clock, as the next. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** When the broker appended the end. */
  readonly endAppendedAt: number | undefined;
}

/** The starts of a type's tasks since a mark, from the log itself, in order of time. */
export async function readTaskRuns(
  { cluster, codec }: LogAccess,
  type: string,
  mark: Offsets,
): Promise<readonly TaskRun[]> {
  const runs: { -readonly [Key in keyof TaskRun]: TaskRun[Key] }[] = [];
  const latest = new Map<string, (typeof runs)[number]>();
  for (const priority of PRIORITIES) {
    const topic = eventsTopic(type, priority);
    for (const { partition } of (await cluster.topic(topic)).partitions) {
      const offset = mark.get(topic)?.[partition] ?? 0;
      for await (const records of readRange(cluster, { topic, partition, from: { offset } })) {
        for (const { value, appendedAt } of records) {
          const event = codec.decode(value!);
          if (event.event === 'TaskStarted') {
            const { taskId, workerId, delivery, occurredAt } = event;
            const run = {
              taskId,
              priority,
              workerId,
              delivery,
              startedAt: occurredAt,
              endedAt: undefined,
              endAppendedAt: undefined,
            };
            runs.push(run);
            latest.set(`${taskId} ${workerId}`, run);
          } else if (event.event === 'TaskSucceeded') {
            const run = latest.get(`${event.taskId} ${event.workerId}`);
            if (run) {
              run.endedAt = event.occurredAt;
              run.endAppendedAt = appendedAt;
            }
          }
        }
      }
    }
  }
  return runs.sort((a, b) => a.startedAt - b.startedAt);
}
