import { cancelSignal, decideCancel } from '@taskflow/core/cancel';
import { uuidv7 } from '@taskflow/core/ids';
import { decideRedrive, isRedrivable } from '@taskflow/core/redrive';
import type { AppendRecord } from '@taskflow/log/appender';
import { PartialAppendError, RecordTooLargeError, UnknownTopicError } from '@taskflow/log/errors';
import { hasEnded, type TaskState } from '@taskflow/schemas/fold';
import type { Pool } from '@taskflow/service/postgres';
import type { CommandLog } from '../commands/commandLog.ts';
import type { RedriveClaims } from '../commands/redriveClaims.ts';
import type { ShownState } from '../views/taskAnswer.ts';
import { type BulkItem, type LeasedBulk, noteEvents } from './bulkTable.ts';

export interface BatchPorts {
  readonly pool: Pool;
  readonly log: CommandLog;
  readonly claims: RedriveClaims;
}

/** Ids of tasks: for which the event is on the log, and which were left as they are. */
export interface BatchOutcome {
  readonly done: readonly string[];
  readonly failed: readonly string[];
}

/** A task to act on, and the id of the event that does it. */
interface Planned<State> {
  readonly state: State;
  readonly eventId: string;
}

/** Somebody is at a task of the batch, perhaps an api that has died: the batch is done again in a moment. */
export class BatchBusyError extends Error {
  override readonly name = 'BatchBusyError';
}

/**
 * Does a batch: one append for all its events. Which event is meant for which task is noted first, so that a batch that was broken off
 * anywhere can be done again: what is there already is seen, or comes again as a copy, under the same id. Rejects where it must be.
 */
export async function doBatch(ports: BatchPorts, bulk: LeasedBulk, items: readonly BulkItem[]): Promise<BatchOutcome> {
  const failed: string[] = [];
  const open: (BulkItem & { readonly state: TaskState })[] = [];
  const doneBefore: TaskState[] = [];
  for (const item of items) {
    const { state } = item;
    const before = state && doneEarlier(item, state);
    if (state !== undefined && before === true) doneBefore.push(state);
    else if (state !== undefined && before === undefined && mayAct(bulk, state)) open.push({ ...item, state });
    else failed.push(item.taskId);
  }
  const planned = open.map((item) => ({ state: item.state, eventId: item.eventId ?? uuidv7() }));
  await noteEvents(
    ports.pool,
    bulk,
    open.flatMap(({ taskId, eventId }, i) => (eventId === null ? [{ taskId, eventId: planned[i]!.eventId }] : [])),
  );
  const outcome =
    bulk.action === 'cancel'
      ? await cancelAll(ports, bulk, planned, doneBefore)
      : await redriveAll(ports, bulk, planned as Planned<ShownState>[]);
  return { done: [...doneBefore.map(({ id }) => id), ...outcome.done], failed: [...failed, ...outcome.failed] };
}

function mayAct({ action }: LeasedBulk, { status, submission }: TaskState): boolean {
  return action === 'cancel' ? !hasEnded(status) : isRedrivable(status) && submission !== null;
}

/** Whether the event that was meant for the task counted; undefined where it is not in its history (yet). */
function doneEarlier({ eventId }: BulkItem, { history, decidedBy, generation }: TaskState): boolean | undefined {
  const entry = history.find((each) => each.eventId === eventId);
  if (entry === undefined) return undefined;
  // Of a cancel, another end may have come before it; where the task was opened again since, that is not asked.
  return entry.event === 'TaskQueued' || decidedBy === eventId || generation > entry.generation;
}

async function cancelAll(
  { log }: BatchPorts,
  { userId, reason }: LeasedBulk,
  planned: readonly Planned<TaskState>[],
  doneBefore: readonly TaskState[],
): Promise<BatchOutcome> {
  const now = Date.now();
  const failed: string[] = [];
  const taken: { readonly taskId: string; readonly record: AppendRecord; readonly signal: AppendRecord }[] = [];
  for (const { state, eventId } of planned) {
    const decision = decideCancel(state, { now, eventId, signalId: uuidv7(), actor: userId, reason });
    if (decision.kind === 'refused') {
      failed.push(state.id);
      continue;
    }
    const record = log.cancelled(decision.event, await log.eventsPartition(state));
    taken.push({ taskId: state.id, record, signal: log.control(decision.signal) });
  }
  const refused = await appendAll(
    log,
    taken.map(({ record }) => record),
  );
  const appended = taken.filter((_, i) => !refused.has(i));
  failed.push(...taken.filter((_, i) => refused.has(i)).map(({ taskId }) => taskId));
  // Whoever has cancelled the others may have died before their signals.
  const again = doneBefore.map((state) => log.control(cancelSignal(state, { now, eventId: uuidv7() })));
  const signals = [...again, ...appended.map(({ signal }) => signal)];
  if (signals.length > 0) await log.append(signals);
  return { done: appended.map(({ taskId }) => taskId), failed };
}

async function redriveAll(
  { log, claims }: BatchPorts,
  { userId, reason }: LeasedBulk,
  planned: readonly Planned<ShownState>[],
): Promise<BatchOutcome> {
  const done: string[] = [];
  const failed: string[] = [];
  if (planned.length === 0) return { done, failed };
  const intents = planned.map(({ state, eventId }) => ({
    taskId: state.id,
    generation: state.generation + 1,
    eventId,
  }));
  const claimed = await claims.claim(intents, { actor: userId, reason });
  const taken: { readonly intent: (typeof intents)[number]; readonly record: AppendRecord }[] = [];
  let busy = false;
  for (const [i, { state, eventId }] of planned.entries()) {
    const claim = claimed.get(state.id);
    if (claim?.kind === 'append') {
      const decision = decideRedrive(state, {
        now: claim.at,
        eventId: claim.eventId,
        eventsPartition: await log.eventsPartition(state),
        check: claim.again,
        ...claim.by,
      });
      if (decision.kind === 'redrive') taken.push({ intent: intents[i]!, record: await log.queued(decision.event) });
    } else if (claim?.eventId !== eventId) failed.push(state.id);
    else if (claim.kind === 'appended') done.push(state.id);
    else busy = true;
  }
  let refused: ReadonlySet<number>;
  try {
    refused = await appendAll(
      log,
      taken.map(({ record }) => record),
    );
  } catch (error) {
    await claims
      .settle(
        taken.map(({ intent }) => intent),
        'failed',
      )
      .catch(() => {});
    throw error;
  }
  for (const [i, { intent }] of taken.entries()) (refused.has(i) ? failed : done).push(intent.taskId);
  await claims.settle(
    taken.filter((_, i) => !refused.has(i)).map(({ intent }) => intent),
    'appended',
  );
  if (busy) throw new BatchBusyError('A task of the batch is claimed by an api that has not been heard of since');
  return { done, failed };
}

/** Appends in one call, and gives which records the log will never take. Rejects where it may take them another time. */
async function appendAll(log: CommandLog, records: readonly AppendRecord[]): Promise<ReadonlySet<number>> {
  if (records.length === 0) return new Set();
  try {
    await log.append(records);
    return new Set();
  } catch (error) {
    const outcomes = error instanceof PartialAppendError ? error.outcomes : records.map(() => error);
    const errors = [...outcomes.entries()].filter(([, outcome]) => outcome instanceof Error);
    const passing = errors.find(([, outcome]) => !isForGood(outcome));
    if (passing !== undefined) throw passing[1];
    return new Set(errors.map(([index]) => index));
  }
}

function isForGood(error: unknown): boolean {
  return error instanceof RecordTooLargeError || error instanceof UnknownTopicError;
}
