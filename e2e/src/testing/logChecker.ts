/**
 * Checks what must hold after every fault, reading only the raw log and the views: every acknowledged id is in the log,
 * the view equals the fold of the log, and exactly one terminal event counts for each task.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SystemAddresses } from '@taskflow/embedded/system';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { readRange } from '@taskflow/log/reader';
import { connectRegistry } from '@taskflow/log/registry';
import type { Codec } from '@taskflow/schemas/codec';
import { evolve, hasEnded, type TaskState, timeline } from '@taskflow/schemas/fold';
import { PRIORITIES } from '@taskflow/schemas/priorities';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { rowOfTaskState, TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import pg from 'pg';

/** What a check of the whole log of a type found. */
export interface LogReport {
  /** The fold of the log, by task id. */
  readonly states: ReadonlyMap<string, TaskState>;
  /** How many `TaskStarted` the log holds, by task id. */
  readonly starts: ReadonlyMap<string, number>;
}

/** Reads the log of a type to its end and folds it. Bytes that are no event are passed over, as the projector does. */
export async function foldLog(addresses: SystemAddresses, type: string): Promise<LogReport> {
  const cluster = await connectCluster({ brokers: [addresses.brokers], clientId: 'log-checker' });
  try {
    const { codec } = await connectRegistry({ url: addresses.registryUrl });
    const states = new Map<string, TaskState>();
    const starts = new Map<string, number>();
    for (const priority of PRIORITIES) {
      for (const topic of [queueTopic(type, priority), eventsTopic(type, priority)]) {
        await foldTopic(cluster, codec, topic, states, starts);
      }
    }
    return { states, starts };
  } finally {
    await cluster.close();
  }
}

async function foldTopic(
  cluster: Cluster,
  codec: Codec,
  topic: string,
  states: Map<string, TaskState>,
  starts: Map<string, number>,
): Promise<void> {
  const { partitions } = await cluster.topic(topic);
  for (const { partition } of partitions) {
    for await (const records of readRange(cluster, { topic, partition, from: 'start', to: 'end' })) {
      for (const record of records) {
        const event = decoded(codec, record.value);
        if (event === undefined || !('taskId' in event) || !('generation' in event) || !('eventId' in event)) continue;
        const { offset, appendedAt } = record;
        states.set(
          event.taskId,
          evolve(states.get(event.taskId), { event, topic, partition, offset, appendedAt } as never),
        );
        if (event.event === 'TaskStarted') starts.set(event.taskId, (starts.get(event.taskId) ?? 0) + 1);
      }
    }
  }
}

function decoded(codec: Codec, value: Buffer | null): ReturnType<Codec['decode']> | undefined {
  try {
    return value === null ? undefined : codec.decode(value);
  } catch {
    return undefined;
  }
}

/**
 * Waits until the view of a type equals the fold of its log, task by task and column by column, and until every one of
 * `acknowledged` has ended with exactly one counted end. Rejects with what differs when that is not so within the time.
 */
export async function verifyTasks(
  addresses: SystemAddresses,
  type: string,
  acknowledged: readonly string[],
  timeoutMs = 60_000,
): Promise<LogReport> {
  const pool = new pg.Pool({ connectionString: addresses.postgresUrl, max: 1 });
  pool.on('error', () => {}); // a store that is killed while nothing is asked of it: the next question says so
  const deadline = performance.now() + timeoutMs;
  try {
    for (;;) {
      const report = await foldLog(addresses, type);
      // A store that is still coming back is a fault like any other, until the time is over.
      const faultsSeen = await faultsOfView(pool, type, report).catch((error: Error) => [error.message]);
      const faults = [...faultsOfLog(report, acknowledged), ...faultsSeen];
      if (faults.length === 0) return report;
      if (performance.now() > deadline) {
        throw new Error(`${faults.length} faults after ${timeoutMs} ms, such as:\n${faults.slice(0, 5).join('\n')}`);
      }
      await delay(250);
    }
  } finally {
    await pool.end();
  }
}

function faultsOfLog({ states }: LogReport, acknowledged: readonly string[]): string[] {
  const faults: string[] = [];
  for (const id of acknowledged) {
    const state = states.get(id);
    if (state === undefined) faults.push(`${id} was acknowledged and is not in the log`);
    else if (!hasEnded(state.status)) faults.push(`${id} has not ended: it is ${state.status}`);
    else {
      const ends = timeline(state.history).filter((entry) => entry.counted && isEnd(entry.event)).length;
      // Only what has ended is opened again.
      const generations = state.generation + 1;
      if (ends !== generations) faults.push(`${id} has ${ends} counted ends in ${generations} generations`);
    }
  }
  return faults;
}

function isEnd(event: string): boolean {
  return event === 'TaskSucceeded' || event === 'TaskFailed' || event === 'TaskCancelled';
}

async function faultsOfView(pool: pg.Pool, type: string, { states }: LogReport): Promise<string[]> {
  const { rows } = await pool.query<TaskStateRow>(`select ${TASK_STATE_COLUMNS} from tasks where type = $1`, [type]);
  const faults: string[] = [];
  for (const row of rows) {
    const folded = states.get(row.id);
    if (folded === undefined) faults.push(`${row.id} is in the view and not in the log`);
    else if (!isSameRow(taskStateFromRow(row), folded)) faults.push(`${row.id} differs between view and log`);
  }
  if (rows.length < states.size) faults.push(`the view has ${rows.length} of ${states.size} tasks`);
  return [...faults, ...(await faultsOfCounts(pool, type, states))];
}

function isSameRow(a: TaskState, b: TaskState): boolean {
  return JSON.stringify(rowOfTaskState(a)) === JSON.stringify(rowOfTaskState(b));
}

async function faultsOfCounts(pool: pg.Pool, type: string, states: ReadonlyMap<string, TaskState>): Promise<string[]> {
  const expected = new Map<string, number>();
  for (const { status, submission } of states.values()) {
    if (submission !== null) expected.set(status, (expected.get(status) ?? 0) + 1);
  }
  const { rows } = await pool.query<{ status: string; count: string }>(
    'select status, sum(count) as count from task_counts where type = $1 group by status having sum(count) <> 0',
    [type],
  );
  const shown = new Map(rows.map(({ status, count }) => [status, Number(count)]));
  return [...new Set([...expected.keys(), ...shown.keys()])]
    .filter((status) => expected.get(status) !== shown.get(status))
    .map((status) => `${shown.get(status) ?? 0} ${status} are counted, the log has ${expected.get(status) ?? 0}`);
}
