import type { Cluster } from '@taskflow/log/cluster';
import type { LogRecord } from '@taskflow/log/logRecord';
import { follow } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskCancelRequested, TypePaused, TypeResumed } from '@taskflow/schemas/events';
import { controlTopic } from '@taskflow/schemas/topics';
import type { Logger } from './logger.ts';

/** One record of `taskflow.control`; null: a tombstone, what the key said is over. */
export interface ControlEntry {
  /** A task's id, or a type. */
  readonly key: string;
  readonly record: TaskCancelRequested | TypePaused | TypeResumed | null;
  readonly offset: number;
}

export interface FollowControlOptions {
  readonly cluster: Cluster;
  readonly codec: Codec;
  readonly logger: Logger;
  /** All that is on the topic, in its order. What it means is for core's `applyControl` to say. */
  readonly onEntry: (entry: ControlEntry) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called when following ended otherwise. */
  readonly onFailure: (error: unknown) => void;
}

/** Follows `taskflow.control` from its start. Resolves when all that was there at the time of the call has been handed over. */
export async function followControl(options: FollowControlOptions): Promise<void> {
  const follower = follow(options.cluster, {
    topics: [controlTopic],
    from: 'start',
    onRecords(records) {
      for (const record of records) {
        const entry = entryOf(record, options);
        if (entry !== undefined) options.onEntry(entry);
      }
    },
    signal: options.signal,
  });
  follower.done.catch(options.onFailure);
  await follower.caughtUp;
}

/** One record that cannot be read must not hide the others. */
function entryOf(
  { topic, partition, offset, key, value }: LogRecord,
  { codec, logger }: Pick<FollowControlOptions, 'codec' | 'logger'>,
): ControlEntry | undefined {
  if (key === null) return undefined;
  const entry = { key: key.toString(), offset };
  if (value === null) return { ...entry, record: null };
  try {
    const record = codec.decode(value);
    const { event } = record;
    if (event === 'TaskCancelRequested' || event === 'TypePaused' || event === 'TypeResumed')
      return { ...entry, record };
  } catch (error) {
    logger.warn('A control record cannot be read', { topic, partition, offset, error });
  }
  return undefined;
}
