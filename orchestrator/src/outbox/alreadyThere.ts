import { intentOf } from '@taskflow/core/outboxRecovery';
import type { Cluster } from '@taskflow/log/cluster';
import { GapError } from '@taskflow/log/errors';
import { readRange } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import { isTaskEvent, type TaskEvent } from '@taskflow/schemas/events';
import type { OutboxRow } from './outboxTable.ts';

/**
 * The events of one partition, from the end that it had when the first of `rows` was written, that are what one of them
 * intends. Of other tasks nothing is decoded.
 */
export async function alreadyThere(
  cluster: Cluster,
  codec: Codec,
  rows: readonly OutboxRow[],
  signal: AbortSignal,
): Promise<TaskEvent[]> {
  const { topic, partition } = rows[0]!;
  const offset = Math.min(...rows.map(({ endOffset }) => endOffset));
  const intents = new Set(rows.map(({ event }) => intentOf(event)));
  const tasks = new Set(rows.map(({ event }) => event.taskId));
  const names = new Set<string>(rows.map(({ event }) => event.event));
  const read = async (from: number): Promise<TaskEvent[]> => {
    const found: TaskEvent[] = [];
    for await (const records of readRange(cluster, { topic, partition, from: { offset: from }, signal })) {
      for (const { key, value } of records) {
        if (value === null || key === null || !tasks.has(key.toString('latin1'))) continue;
        if (!names.has(codec.nameOf(value) ?? '')) continue;
        const event = codec.decode(value);
        if (isTaskEvent(event) && intents.has(intentOf(event))) found.push(event);
      }
    }
    return found;
  };
  try {
    return await read(offset);
  } catch (error) {
    // What was trimmed since can have held it: it is sent again with `check`, and whoever takes it looks.
    if (error instanceof GapError && error.wanted < error.start) return read(error.start);
    throw error;
  }
}
