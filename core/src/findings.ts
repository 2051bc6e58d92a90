import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { isEnd } from '@taskflow/schemas/fold';

/** A record of the queue whose task is looked up in its events partition. */
export interface CheckedRecord {
  readonly queued: TaskQueued;
  /** Where the record lies in its queue topic. */
  readonly partition: number;
  readonly offset: number;
}

/** Why a record needs no run of its own any more. */
export type Settled = 'ended' | 'superseded' | 'retry-scheduled' | 'handed-over' | 'copy';

export interface FoundStart {
  readonly workerId: string;
  /** The greatest count so far: a start that was long under way does not set it back. */
  readonly starts: number;
  /** Of the start in the events partition. */
  readonly offset: number;
}

/** What the log says of an attempt, as far as it has been read. */
export interface Findings {
  readonly settled: Settled | undefined;
  /** The record from which the attempt was started first: others of the same attempt are copies. */
  readonly owner: { readonly partition: number; readonly offset: number } | undefined;
  readonly lastStart: FoundStart | undefined;
}

export const nothingFound: Findings = { settled: undefined, owner: undefined, lastStart: undefined };

/**
 * Adds an event of the events partition, in the log's order, to what was found. Events of other tasks and of what was before
 * change nothing: the same object is returned.
 *
 * A record is settled by an end of its generation (of whichever attempt), by a retry or a hand-over of its attempt, by
 * anything of a later attempt or generation; and where its attempt was first started from another record. Which of several
 * records the first start came from is the same for all who look, so never do all of them give way to each other.
 */
export function withFound(findings: Findings, record: CheckedRecord, event: TaskEvent, offset: number): Findings {
  const { queued } = record;
  if (event.taskId !== queued.taskId || event.generation < queued.generation) return findings;
  const settled = findings.settled ?? settledBy(event, queued);
  if (event.event !== 'TaskStarted' || event.attempt !== queued.attempt || event.generation !== queued.generation) {
    return settled === findings.settled ? findings : { ...findings, settled };
  }
  const owner = findings.owner ?? { partition: event.queuePartition, offset: event.queueOffset };
  const isOwner = owner.partition === record.partition && owner.offset === record.offset;
  const starts = Math.max(event.starts, findings.lastStart?.starts ?? 0);
  const lastStart = { workerId: event.workerId, starts, offset };
  return { settled: settled ?? (isOwner ? undefined : 'copy'), owner, lastStart };
}

function settledBy(event: TaskEvent, queued: TaskQueued): Settled | undefined {
  if (event.generation > queued.generation) return 'superseded';
  if (isEnd(event.event)) return 'ended';
  if (event.attempt > queued.attempt) return 'superseded';
  if (event.attempt < queued.attempt) return undefined;
  if (event.event === 'TaskRetryScheduled') return 'retry-scheduled';
  if (event.event === 'TaskHeartbeat' && event.task !== null) return 'handed-over';
  return undefined;
}
