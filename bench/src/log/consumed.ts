import { setTimeout as delay } from 'node:timers/promises';
import { endOffsets } from '@taskflow/log/reader';
import { PRIORITIES } from '@taskflow/schemas/priorities';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import type { BenchSystem } from '../system/benchSystem.ts';

const PATIENCE_MS = 10_000;

/**
 * Resolves when every consumer that keeps its positions in PostgreSQL (the views in PostgreSQL and MongoDB, the orchestrator) has read
 * the topics of a type to their present ends, so that what a burst costs them has been spent. Gives up after ten seconds in
 * which nothing moved: a consumer may leave its positions lying.
 */
export async function waitUntilConsumed({ cluster, pool }: BenchSystem, type: string): Promise<void> {
  const topics = PRIORITIES.flatMap((priority) => [queueTopic(type, priority), eventsTopic(type, priority)]);
  const ends = await endOffsets(cluster, topics);
  let best = Number.POSITIVE_INFINITY;
  let changedAt = performance.now();
  for (;;) {
    const { rows } = await pool.query<{ topic: string; partition: number; next: string }>(
      'select topic, partition, min(next_offset) as next from consumer_positions where topic = any($1) group by 1, 2',
      [topics],
    );
    const behind = rows.reduce(
      (sum, { topic, partition, next }) => sum + Math.max(0, (ends.get(topic)?.[partition] ?? 0) - Number(next)),
      0,
    );
    if (behind === 0) return;
    if (behind < best) {
      best = behind;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > PATIENCE_MS) {
      return;
    }
    await delay(20);
  }
}
