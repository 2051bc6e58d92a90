import { merge, type TaskState } from '@taskflow/schemas/fold';
import type { PoolClient } from 'pg';
import { applyCountChanges, countChanges, deadLetters, type StateChange, taskCounts } from './counts.ts';
import type { RecentStates } from './recentStates.ts';
import { currentXid, insertNew, lockOthers, type RowUpdate, update } from './taskTable.ts';

/** What a transaction did to the view. */
export interface Written {
  readonly changes: readonly StateChange[];
  /** The transaction's number. */
  readonly xid: number;
}

/**
 * Merges what a batch says of its tasks into the view, and keeps the counts in step.
 *
 * Most tasks are new, or were written a moment ago by this process: those cost one statement each way, sent at once. The rest,
 * and what another instance has changed meanwhile, is locked, read, merged here and updated, since no status rule is written in SQL.
 *
 * Rows are locked in the order of their ids, first new ones, then others, then counts, so that instances that meet at the same
 * tasks (one reads the queue, another the events) wait for each other and not in a circle. Where updates of remembered rows
 * cross all the same, PostgreSQL ends one of the transactions, and it is tried again.
 */
export async function writeTasks(
  tx: PoolClient,
  folded: ReadonlyMap<string, TaskState>,
  recent: RecentStates,
): Promise<Written> {
  const { unknown, remembered } = partition(folded, recent);
  const [xid, inserted, updated] = await Promise.all([currentXid(tx), insertNew(tx, unknown), update(tx, remembered)]);
  let changes: StateChange[] = [...unknown.map((after) => ({ before: undefined, after })), ...remembered];
  const missing = changes.length - inserted - updated;
  if (missing > 0) changes = await mergeOthers(tx, changes, missing);
  for (const table of [taskCounts, deadLetters]) await applyCountChanges(tx, table, countChanges(table, changes));
  return { changes, xid };
}

/** Sets apart, in the order of ids, what has no row as far as is known, and what has one whose state is remembered. */
function partition(folded: ReadonlyMap<string, TaskState>, recent: RecentStates) {
  const unknown: TaskState[] = [];
  const remembered: RowUpdate[] = [];
  for (const state of [...folded.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const written = recent.get(state.id);
    if (written === undefined) {
      unknown.push(state);
      continue;
    }
    const after = merge(written.state, state);
    if (after !== written.state) remembered.push({ before: written.state, after, expectedXid: written.xid });
  }
  return { unknown, remembered };
}

/** Merges into the rows that were not written above: they are another's, or older than what is remembered. Returns what really changed. */
async function mergeOthers(tx: PoolClient, changes: readonly StateChange[], expected: number): Promise<StateChange[]> {
  const attempted = new Map(changes.map((change) => [change.after.id, change]));
  const rows = await lockOthers(tx, [...attempted.keys()].sort());
  if (rows.length !== expected) {
    throw new Error(`The view tasks has ${rows.length} of ${expected} rows that were written before`);
  }
  const updates: RowUpdate[] = [];
  for (const before of rows) {
    const after = merge(before, attempted.get(before.id)!.after);
    attempted.delete(before.id);
    if (after !== before) updates.push({ before, after, expectedXid: null });
  }
  await update(tx, updates);
  return [...attempted.values(), ...updates];
}
