import { merge, type TaskState } from '@taskflow/schemas/fold';
import type { Write } from '@taskflow/service/transactionalConsumer';
import type { PoolClient } from 'pg';
import { type Continuation, isContinuation } from './continuation.ts';
import { applyCountChanges, countChanges, deadLetters, shownOf, taskCounts, type ViewChange } from './counts.ts';
import type { NewRows } from './newRows.ts';
import {
  continueRows,
  insertMissing,
  insertNew,
  lockOthers,
  type NotInserted,
  type RowUpdate,
  update,
} from './taskTable.ts';

const none: ReadonlySet<string> = new Set();

/**
 * Merges what a batch says of its tasks into the view, and keeps the counts in step. Gives the shown tasks that have changed,
 * with version and status as they now are; of some no more than that is known here.
 *
 * Most tasks are new, or their events continue what the row holds: those cost one statement each, sent at once. The rest is
 * locked, read, merged here and updated, since no status rule is written in SQL.
 *
 * Rows are locked in the order of their ids, first new ones, then others, then counts, so that instances that meet at the same
 * tasks (one reads the queue, another the events) wait for each other and not in a circle. Where two cross all the same,
 * PostgreSQL ends one of the transactions, and it is tried again.
 */
export function taskWrite(folded: readonly TaskState[], newRows: NewRows): Write<readonly TaskState[]> {
  const { whole, later } = partition(folded);
  const [insertWhole, continueLater] = [insertNew(whole, newRows), continueRows(later)];
  return async (tx) => {
    try {
      if (later.length === 0 && newRows.areAllNew(whole)) {
        // What this changes is known before it is done: all is sent at once.
        await Promise.all([insertWhole(tx), writeCounts(tx, whole.map(added))]);
        return whole.filter(isShown);
      }
      const [notInserted, continued] = await Promise.all([insertWhole(tx), continueLater(tx)]);
      return await writeRest(tx, { whole, later, notInserted, continued }, newRows);
    } catch (error) {
      newRows.doubt();
      throw error;
    }
  };
}

interface FirstStatements {
  readonly whole: readonly TaskState[];
  readonly later: readonly Continuation[];
  /** What was not inserted of `whole`. */
  readonly notInserted: NotInserted;
  /** What was continued of `later`. */
  readonly continued: readonly ViewChange[];
}

/** Writes the tasks that the first two statements have left, and the counts of all. */
async function writeRest(tx: PoolClient, first: FirstStatements, newRows: NewRows): Promise<readonly TaskState[]> {
  const { whole, later, notInserted, continued } = first;
  const known = notInserted.count;
  const behind = later.length - continued.reduce((sum, { count }) => sum + count, 0);
  const early = behind > 0 ? await insertMissing(tx, later) : none;
  newRows.written(notInserted.among, early);
  const missed = known + behind - early.size;
  const attempted = [
    ...(known > 0 ? notInserted.among : []),
    ...(behind > 0 ? later.filter(({ id }) => !early.has(id)) : []),
  ];
  const { read, updates } =
    missed > 0 ? await mergeOthers(tx, attempted, missed) : { read: none, updates: [] as RowUpdate[] };

  const isWritten = ({ id }: TaskState): boolean => !read.has(id);
  const fresh = whole.filter(isWritten);
  const changes: ViewChange[] = [
    ...fresh.map(added),
    ...continued,
    ...updates.map(({ before, after }) => ({ task: after, before: shownOf(before), after: shownOf(after), count: 1 })),
  ];
  await writeCounts(tx, changes);
  return [
    ...[...fresh, ...updates.map(({ after }) => after)].filter(isShown),
    ...later.filter((state) => isWritten(state) && !early.has(state.id)),
  ];
}

async function writeCounts(tx: PoolClient, changes: readonly ViewChange[]): Promise<void> {
  await Promise.all(
    [taskCounts, deadLetters].map((table) => applyCountChanges(tx, table, countChanges(table, changes))),
  );
}

function added(state: TaskState): ViewChange {
  return { task: state, before: undefined, after: shownOf(state), count: 1 };
}

function isShown({ submission }: TaskState): boolean {
  return submission !== null;
}

/** Sets apart, in the order of ids, what may only continue rows. */
function partition(folded: readonly TaskState[]) {
  const whole: TaskState[] = [];
  const later: Continuation[] = [];
  for (const state of folded.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (isContinuation(state)) later.push(state);
    else whole.push(state);
  }
  return { whole, later };
}

/** Merges into the rows that were not written above. Gives which those were, and what really changed. */
async function mergeOthers(tx: PoolClient, attempted: readonly TaskState[], expected: number) {
  const states = new Map(attempted.map((state) => [state.id, state]));
  const rows = await lockOthers(tx, [...states.keys()].sort());
  if (rows.length !== expected) {
    throw new Error(`The view tasks has ${rows.length} of ${expected} rows that were written before`);
  }
  const updates: RowUpdate[] = [];
  for (const before of rows) {
    const after = merge(before, states.get(before.id)!);
    if (after !== before) updates.push({ before, after });
  }
  await update(tx, updates);
  return { read: new Set(rows.map(({ id }) => id)) as ReadonlySet<string>, updates };
}
