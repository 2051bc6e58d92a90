import type { ClientBase, Pool } from 'pg';

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * A step of a consumer in one partition: from the offset up to which all was applied before to the one up to which all is applied after.
 * (Of what lies behind them some may be applied, too: `Effects.carryOver`.)
 */
export interface Advance extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/** The consumer's positions are not what it thinks: another instance has taken its place. Nothing of its transaction may be committed. */
export class PositionRefusedError extends Error {
  override readonly name = 'PositionRefusedError';

  constructor(consumer: string, advances: readonly Advance[]) {
    const steps = advances.map(({ topic, partition, from, to }) => `${topic}/${partition} ${from}→${to}`).join(', ');
    super(`Consumer ${consumer}: another instance has moved one of these positions: ${steps}`);
  }
}

/** `topic/partition`, the key under which positions are kept in maps. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * The next offset of each partition, by `partitionKey`. A partition without a row gets one that begins at `start`
 * (0 by default; the log's start where an archive holds what came before).
 */
export async function claimPositions(
  db: Pool | ClientBase,
  consumer: string,
  partitions: readonly (TopicPartition & { readonly start?: number })[],
): Promise<Map<string, number>> {
  const topics = partitions.map((p) => p.topic);
  const numbers = partitions.map((p) => p.partition);
  const starts = partitions.map((p) => p.start ?? 0);
  await db.query(
    `insert into consumer_positions (consumer, topic, partition, next_offset)
     select $1, topic, partition, start from unnest($2::text[], $3::int[], $4::bigint[]) as p(topic, partition, start)
     order by topic, partition
     on conflict do nothing`,
    [consumer, topics, numbers, starts],
  );
  const { rows } = await db.query<{ topic: string; partition: number; next_offset: number }>(
    `select topic, partition, next_offset from consumer_positions
     where consumer = $1 and (topic, partition) in (select * from unnest($2::text[], $3::int[]))`,
    [consumer, topics, numbers],
  );
  return new Map(rows.map((row) => [partitionKey(row.topic, row.partition), row.next_offset]));
}

/** Every position of a consumer, by `partitionKey`. */
export async function readPositions(db: Pool | ClientBase, consumer: string): Promise<Map<string, number>> {
  const { rows } = await db.query<{ topic: string; partition: number; next_offset: number }>({
    name: 'read-positions',
    text: 'select topic, partition, next_offset from consumer_positions where consumer = $1',
    values: [consumer],
  });
  return new Map(rows.map((row) => [partitionKey(row.topic, row.partition), row.next_offset]));
}

/** Locks positions against everybody else until the transaction ends, and gives them by `partitionKey`; in one order for all. */
export async function lockPositions(
  tx: ClientBase,
  consumer: string,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ topic: string; partition: number; next_offset: number }>({
    name: 'lock-positions',
    text: `select topic, partition, next_offset from consumer_positions
      where consumer = $1 and (topic, partition) in (select * from unnest($2::text[], $3::int[]))
      order by topic, partition
      for update`,
    values: [consumer, partitions.map(({ topic }) => topic), partitions.map(({ partition }) => partition)],
  });
  return new Map(rows.map((row) => [partitionKey(row.topic, row.partition), row.next_offset]));
}

/**
 * Moves positions within the transaction of the effects. Only rows that still stand at `from` move; where one does not, a
 * zombie is at work (or this is one), and `PositionRefusedError` makes the caller roll back.
 */
export async function advancePositions(tx: ClientBase, consumer: string, advances: readonly Advance[]): Promise<void> {
  // In one order for all, so that two instances never wait for each other.
  const steps = advances.toSorted((a, b) =>
    a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
  );
  const { rowCount } = await tx.query({
    name: 'advance-positions',
    text: `update consumer_positions p set next_offset = a.next
      from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) as a(topic, partition, expected, next)
      where p.consumer = $1 and p.topic = a.topic and p.partition = a.partition and p.next_offset = a.expected`,
    values: [
      consumer,
      steps.map((step) => step.topic),
      steps.map((step) => step.partition),
      steps.map((step) => step.from),
      steps.map((step) => step.to),
    ],
  });
  if (rowCount !== steps.length) throw new PositionRefusedError(consumer, steps);
}
