import type { Cluster } from '@taskflow/log/cluster';
import { follow } from '@taskflow/log/reader';
import type { Registry } from '@taskflow/log/registry';
import type { TaskCancelRequested, TaskflowRecord, TypePaused, TypeResumed } from '@taskflow/schemas/events';
import { controlTopic } from '@taskflow/schemas/topics';
import { createDecoding } from './decoding.ts';
import type { Logger } from './logger.ts';

type ControlRecord = TaskCancelRequested | TypePaused | TypeResumed;

/** One record of `taskflow.control`. */
export interface ControlEntry {
  /** A task's id, or a type. */
  readonly key: string;
  /** Null: a tombstone, what the key said is over. */
  readonly record: ControlRecord | null;
  readonly offset: number;
}

export interface FollowControlOptions {
  readonly cluster: Cluster;
  readonly registry: Registry;
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
  const { cluster, registry, logger, onEntry, signal, onFailure } = options;
  const decode = createDecoding({ registry, select: controlRecord, logger, signal });
  const follower = follow(cluster, {
    topics: [controlTopic],
    from: 'start',
    async onRecords(records) {
      const { events, undecodable } = await decode(records.filter(({ value }) => value !== null));
      const written = events.map(({ record, event }) => ({ ...record, event }));
      const removed = records.filter(({ value }) => value === null).map((record) => ({ ...record, event: null }));
      for (const { key, offset, event } of [...written, ...removed].sort((a, b) => a.offset - b.offset))
        if (key !== null) onEntry({ key: key.toString(), record: event, offset });
      // One record that cannot be read must not hide the others.
      for (const { record, reason } of undecodable)
        logger.warn('A control record cannot be read', { topic: record.topic, offset: record.offset, reason });
    },
    signal,
  });
  follower.done.catch(onFailure);
  await follower.caughtUp;
}

function controlRecord(record: TaskflowRecord): ControlRecord | undefined {
  const { event } = record;
  return event === 'TaskCancelRequested' || event === 'TypePaused' || event === 'TypeResumed' ? record : undefined;
}
