import type { TaskCancelRequested, TypePaused, TypeResumed } from '@taskflow/schemas/events';

/** A value of `taskflow.control`; its key is the task's id, or the type. */
export type ControlRecord = TaskCancelRequested | TypePaused | TypeResumed;

/** What `taskflow.control` says at a moment: what of it concerns a worker. Folded from the topic's start, in its order. */
export interface ControlState {
  /** Task id → the greatest generation that was cancelled. */
  readonly cancelled: Map<string, number>;
  /** Types that are not to be fetched. */
  readonly paused: Set<string>;
}

export function emptyControl(): ControlState {
  return { cancelled: new Map(), paused: new Set() };
}

/** Adds a record of the topic (null: a tombstone) to the state, in place: it holds all signals there are. */
export function applyControl(state: ControlState, key: string, record: ControlRecord | null): void {
  if (record === null) {
    // Keys don't collide: type names have no hyphen, task ids always do.
    state.cancelled.delete(key);
    state.paused.delete(key);
  } else if (record.event === 'TaskCancelRequested') {
    const known = state.cancelled.get(record.taskId) ?? -1;
    if (record.generation > known) state.cancelled.set(record.taskId, record.generation);
  } else if (record.event === 'TypePaused') {
    state.paused.add(record.type);
  } else {
    state.paused.delete(record.type);
  }
}

/**
 * Whether a delivered record, or a run, is to be dropped: its TaskCancelled is on the log, so that the record is accepted (or its
 * heartbeats end) without a further event, and a handler that runs is aborted. A redriven task, of a later generation, runs.
 */
export function isCancelled(
  state: ControlState,
  run: { readonly taskId: string; readonly generation: number },
): boolean {
  // Asked for every record: an id need not be hashed while there is no signal at all.
  if (state.cancelled.size === 0) return false;
  const generation = state.cancelled.get(run.taskId);
  return generation !== undefined && run.generation <= generation;
}

/**
 * Whether a cancel's signal can be removed: no record of the task up to that generation is in the queue any more, nor will one
 * come. `lastRecord` is the offset of the newest such record, undefined where there is none; `groupStart` that of the group.
 */
export function isSignalSpent(
  lastRecord: number | undefined,
  groupStart: number,
  pending: { readonly hasTimer: boolean; readonly hasOutboxRow: boolean },
): boolean {
  if (pending.hasTimer || pending.hasOutboxRow) return false;
  return lastRecord === undefined || lastRecord < groupStart;
}
