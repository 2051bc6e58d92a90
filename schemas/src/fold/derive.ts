import type { TaskEvent } from '../events.ts';
import { eventsTopic, queueTopic } from '../topics.ts';
import type { HistoryEntry } from './historyEntry.ts';
import { hasEnded, statusOf } from './status.ts';
import type { TaskState } from './taskState.ts';
import { versionOf } from './version.ts';

/** Whose history it is. Every event's head says it, and no two events of a task say otherwise. */
export interface TaskIdentity {
  readonly id: string;
  readonly userId: string;
  readonly type: string;
  readonly priority: string;
  readonly runId: string | null;
  readonly stepId: string | null;
}

export function identityOf(event: TaskEvent): TaskIdentity {
  return {
    id: event.taskId,
    userId: event.userId,
    type: event.type,
    priority: event.priority,
    runId: event.runId,
    stepId: event.stepId,
  };
}

/** A state in the making: `submission` and `result` are still to be filled in, from whoever has `submittedBy` and `decidedBy`. */
export type StateDraft = { -readonly [K in keyof TaskState]: TaskState[K] };

/** All of a state that follows from its history (which has one entry at least). */
export function deriveState(task: TaskIdentity, history: readonly HistoryEntry[]): StateDraft {
  const queuedCount = countQueued(history);
  const newestQueued = newestOfQueued(history, queuedCount);
  const { greatest, scheduled, retries } = readEvents(history, queuedCount);
  const queuedVersion = newestQueued === undefined ? -1 : versionOf(newestQueued);
  const eventsVersion = greatest === undefined ? -1 : versionOf(greatest);
  const decisive = (queuedVersion > eventsVersion ? newestQueued : greatest)!;
  const status = statusOf(decisive.event);
  const { generation, attempt } = decisive;
  const attemptSeen = readAttempt(history, queuedCount, decisive);
  const submitted = newestSubmission(newestQueued, scheduled);
  return {
    id: task.id,
    userId: task.userId,
    type: task.type,
    priority: task.priority,
    runId: task.runId,
    stepId: task.stepId,
    version: Math.max(queuedVersion, eventsVersion),
    status,
    generation,
    attempt,
    submission: null,
    createdAt: createdAt(history),
    runAt: status === 'retrying' ? decisive.dueAt : scheduled?.generation === generation ? scheduled.dueAt : null,
    queuedAt: attemptSeen.queuedAt,
    startedAt: attemptSeen.startedAt,
    finishedAt: hasEnded(status) ? decisive.at : null,
    workerId: attemptSeen.workerId,
    progress: attemptSeen.progress,
    error: status === 'success' ? null : (decisive.error ?? attemptSeen.error),
    result: null,
    retryCount: retries.generation === generation ? retries.count : 0,
    history,
    queue: placeInQueue(task, newestQueued),
    events: placeOfEvents(task, history, queuedCount),
    decidedBy: decisive.eventId,
    submittedBy: submitted === undefined ? null : submitted.eventId,
  };
}

/** The history begins with its TaskQueued: how many there are. */
function countQueued(history: readonly HistoryEntry[]): number {
  let count = 0;
  while (count < history.length && history[count]!.event === 'TaskQueued') count++;
  return count;
}

/** The TaskQueued of the newest attempt, the copy with the smallest event id: they are sorted so. */
function newestOfQueued(history: readonly HistoryEntry[], queuedCount: number): HistoryEntry | undefined {
  if (queuedCount === 0) return undefined;
  let first = queuedCount - 1;
  const { generation, attempt } = history[first]!;
  while (first > 0 && history[first - 1]!.attempt === attempt && history[first - 1]!.generation === generation) first--;
  return history[first];
}

/** Reads the events family in the log's order. */
function readEvents(history: readonly HistoryEntry[], from: number) {
  let top = -1;
  let greatest: HistoryEntry | undefined;
  let scheduled: HistoryEntry | undefined;
  const retries = { generation: -1, count: 0 };
  for (let i = from; i < history.length; i++) {
    const entry = history[i]!;
    const version = versionOf(entry);
    if (entry.event === 'TaskScheduled' && (scheduled === undefined || version > versionOf(scheduled)))
      scheduled = entry;
    if (version <= top) continue;
    top = version;
    greatest = entry;
    if (entry.event !== 'TaskRetryScheduled') continue;
    if (retries.generation !== entry.generation) retries.count = 0;
    retries.generation = entry.generation;
    retries.count++;
  }
  return { greatest, scheduled, retries };
}

/**
 * Reads what is known of the attempt that the decisive event shows. What lies behind an end or a retry on the log is
 * a zombie's and changes nothing.
 */
function readAttempt(history: readonly HistoryEntry[], queuedCount: number, decisive: HistoryEntry) {
  const { generation, attempt } = decisive;
  const seen = {
    queuedAt: null as number | null,
    startedAt: null as number | null,
    workerId: null as string | null,
    progress: null as number | null,
    error: null as HistoryEntry['error'],
  };
  for (let i = 0; i < queuedCount && seen.queuedAt === null; i++) {
    const entry = history[i]!;
    if (entry.attempt === attempt && entry.generation === generation) seen.queuedAt = entry.at;
  }
  const running = decisive.event === 'TaskStarted' || decisive.event === 'TaskHeartbeat';
  for (let i = queuedCount; i < history.length; i++) {
    const entry = history[i]!;
    if (entry === decisive && !running) break;
    if (entry.attempt !== attempt || entry.generation !== generation) continue;
    if (entry.event === 'TaskStarted') {
      seen.startedAt ??= entry.at;
      seen.workerId = entry.workerId;
      seen.progress = null;
    } else if (entry.event === 'TaskHeartbeat') {
      seen.workerId = entry.workerId;
      seen.progress = entry.progress ?? seen.progress;
    } else if (entry.event === 'TaskRetryScheduled') {
      seen.error ??= entry.error;
    }
  }
  return seen;
}

function newestSubmission(
  queued: HistoryEntry | undefined,
  scheduled: HistoryEntry | undefined,
): HistoryEntry | undefined {
  if (queued === undefined || scheduled === undefined) return queued ?? scheduled;
  return versionOf(queued) > versionOf(scheduled) ? queued : scheduled;
}

/** The first submission of the oldest generation; without any, the earliest event. */
function createdAt(history: readonly HistoryEntry[]): number {
  let generation = Number.POSITIVE_INFINITY;
  let earliest = Number.POSITIVE_INFINITY;
  for (const entry of history) {
    const submits = entry.event === 'TaskQueued' || entry.event === 'TaskScheduled';
    const ofGeneration = submits ? entry.generation : Number.MAX_VALUE;
    if (ofGeneration > generation) continue;
    if (ofGeneration < generation) earliest = Number.POSITIVE_INFINITY;
    generation = ofGeneration;
    earliest = Math.min(earliest, entry.at);
  }
  return earliest;
}

function placeInQueue(task: TaskIdentity, queued: HistoryEntry | undefined): TaskState['queue'] {
  if (queued === undefined) return null;
  return { topic: queueTopic(task.type, task.priority), partition: queued.partition, offset: queued.offset };
}

function placeOfEvents(task: TaskIdentity, history: readonly HistoryEntry[], from: number): TaskState['events'] {
  if (from === history.length) return null;
  const first = history[from]!;
  return {
    topic: eventsTopic(task.type, task.priority),
    partition: first.partition,
    firstOffset: first.offset,
    lastOffset: history[history.length - 1]!.offset,
  };
}
