import type { LogRecord } from '@taskflow/log/logRecord';
import type { RecordName, TaskflowRecord, TaskTypeRegistered } from '@taskflow/schemas/events';
import type { Effects } from '@taskflow/service/transactionalConsumer';
import type { QueuePacing } from './queuePacing.ts';

/** A view of the log: what it reads, how it folds, what it writes. */
export interface Projection<E, Folded, Outcome> extends Omit<Effects<E, Folded, Outcome>, 'consumer'> {
  /** Names the view, its positions and its consumer group. */
  readonly name: string;
  /** Goes up when the view must be rebuilt: when what is written for the same log has changed. */
  readonly version: number;
  /** The topics to read, given the types that are registered. Asked again when one is. */
  reads(types: readonly TaskTypeRegistered[]): readonly string[];
  /** Whether records of this name matter to it; bodies of others are not decoded. */
  wants(name: RecordName): boolean;
  /** What of a record it folds: undefined to pass over it. Throws `UndecodableError` for what must be parked. */
  select(decoded: TaskflowRecord, record: LogRecord): E | undefined;
  /** How far ahead of what else it reads a queue is folded; as soon as it is read if absent. */
  readonly queuePacing?: QueuePacing;
}

/** Gives a projection its types, so that its file is its definition. */
export function projection<E, Folded, Outcome>(
  definition: Projection<E, Folded, Outcome>,
): Projection<E, Folded, Outcome> {
  return definition;
}
