import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import { workerStoppedCode } from '@taskflow/core/workerStopped';
import type { Cluster } from '@taskflow/log/cluster';
import { GapError } from '@taskflow/log/errors';
import { readRange } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import type { Task, TaskQueued } from '@taskflow/schemas/events';
import type { TaskState } from '@taskflow/schemas/fold';
import { eventsTopic } from '@taskflow/schemas/topics';
import type { Pool } from 'pg';
import { readTask } from './unfinishedTasks.ts';

/** A task that nobody has any more, with what its next attempt needs. */
export interface ForgottenTask {
  readonly state: TaskState;
  readonly task: Task;
  readonly failures: number;
  readonly recoveries: number;
  readonly eventsPartition: number;
}

/**
 * What its next attempt needs, from its last record in the queue; from the view where that is trimmed. Counts are those of
 * the record, or of the history where that knows of more.
 */
export async function recollect(
  { cluster, codec, pool }: { readonly cluster: Cluster; readonly codec: Codec; readonly pool: Pool },
  state: TaskState,
): Promise<ForgottenTask | undefined> {
  const record = await readRecord(cluster, codec, state);
  const counted = countsOf(state);
  if (record !== undefined) {
    return {
      state,
      task: record.task,
      failures: Math.max(record.failures, counted.failures),
      recoveries: Math.max(record.recoveries, counted.recoveries),
      eventsPartition: record.eventsPartition,
    };
  }
  const task = (await readTask(pool, state.id))?.submission;
  if (task === undefined || task === null) return undefined;
  return { state, task, ...counted, eventsPartition: await eventsPartitionOf(cluster, state) };
}

async function readRecord(cluster: Cluster, codec: Codec, state: TaskState): Promise<TaskQueued | undefined> {
  if (state.queue === null) return undefined;
  const { topic, partition, offset } = state.queue;
  const range = { topic, partition, from: { offset }, to: { offset: offset + 1 }, maxBytes: 1 };
  try {
    for await (const records of readRange(cluster, range)) {
      const value = records.find((record) => record.offset === offset)?.value;
      const event = value == null ? undefined : codec.decode(value);
      if (event?.event === 'TaskQueued' && event.taskId === state.id) return event;
    }
  } catch (error) {
    if (!(error instanceof GapError)) throw error;
  }
  return undefined;
}

function countsOf({ history, generation }: TaskState): { failures: number; recoveries: number } {
  const ofGeneration = history.filter((entry) => entry.generation === generation);
  const failed = ofGeneration.filter(
    ({ event, error }) => event === 'TaskRetryScheduled' && error?.code !== workerStoppedCode,
  );
  const recovered = ofGeneration.filter(({ event, cause }) => event === 'TaskQueued' && cause === 'recover');
  const attempts = (entries: readonly { readonly attempt: number }[]) =>
    new Set(entries.map(({ attempt }) => attempt)).size;
  return { failures: attempts(failed), recoveries: attempts(recovered) };
}

/** Where its events lie; as it was chosen at its submission, if none of them has come yet. */
async function eventsPartitionOf(cluster: Cluster, state: TaskState): Promise<number> {
  if (state.events !== null) return state.events.partition;
  const { partitions } = await cluster.topic(eventsTopic(state.type, state.priority));
  return chooseEventsPartition(state.id, partitions.length);
}
