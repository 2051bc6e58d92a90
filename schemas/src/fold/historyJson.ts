import { type TaskEvent, taskEventNames } from '../events.ts';
import type { HistoryEntry } from './historyEntry.ts';

/**
 * The history as compact JSON text, for a column of the task's row (about 110 bytes an entry). An entry is an array:
 * the event's name without "Task", generation, attempt, event id, time, worker, partition, offset; then, where there
 * is more to tell, an object with what is not null.
 */
export function historyToJson(history: readonly HistoryEntry[]): string {
  return JSON.stringify(history.map(compact));
}

/** Takes in what `historyToJson` wrote: the same history. Throws on an event that this version does not know. */
export function historyFromJson(json: string): readonly HistoryEntry[] {
  return (JSON.parse(json) as CompactEntry[]).map(expand);
}

type Details = {
  -readonly [K in
    | 'cause'
    | 'delivery'
    | 'starts'
    | 'progress'
    | 'dueAt'
    | 'error'
    | 'durationMs'
    | 'actor'
    | 'reason']?: HistoryEntry[K];
} & {
  /** `eventsPartition`. */
  in?: number;
  handOver?: true;
};

type CompactEntry = [
  name: string,
  generation: number,
  attempt: number,
  eventId: string,
  at: number,
  workerId: string,
  partition: number,
  offset: number,
  details?: Details,
];

function compact(entry: HistoryEntry): CompactEntry {
  const { generation, attempt, eventId, at, workerId, partition, offset } = entry;
  const name = entry.event.slice(4);
  const details = detailsOf(entry);
  // Not by `push`, which gives an array room for twenty more.
  return details === undefined
    ? [name, generation, attempt, eventId, at, workerId, partition, offset]
    : [name, generation, attempt, eventId, at, workerId, partition, offset, details];
}

function detailsOf(entry: HistoryEntry): Details | undefined {
  switch (entry.event) {
    case 'TaskQueued':
      return { cause: entry.cause, ...placeOf(entry), ...commandOf(entry) };
    case 'TaskScheduled':
      return entry.dueAt === null ? undefined : { dueAt: entry.dueAt };
    case 'TaskStarted':
      return { delivery: entry.delivery, starts: entry.starts };
    case 'TaskHeartbeat':
      return heartbeatDetails(entry);
    case 'TaskSucceeded':
      return { durationMs: entry.durationMs };
    case 'TaskRetryScheduled':
      return { dueAt: entry.dueAt, error: entry.error };
    case 'TaskFailed':
      return { error: entry.error };
    case 'TaskCancelled':
      return commandOf(entry);
  }
}

function placeOf({ eventsPartition }: HistoryEntry): Details | undefined {
  return eventsPartition === null ? undefined : { in: eventsPartition };
}

/** Who had it done by hand, and why; undefined where nobody did. */
function commandOf({ actor, reason }: HistoryEntry): Details | undefined {
  if (actor === null && reason === null) return undefined;
  return { ...(actor === null ? undefined : { actor }), ...(reason === null ? undefined : { reason }) };
}

function heartbeatDetails(entry: HistoryEntry): Details | undefined {
  const details: Details = {};
  if (entry.progress !== null) details.progress = entry.progress;
  if (entry.handOver) details.handOver = true;
  return entry.progress === null && !entry.handOver ? undefined : details;
}

const eventOfName: ReadonlyMap<string, TaskEvent['event']> = new Map(
  taskEventNames.map((name) => [name.slice(4), name]),
);

function expand(line: CompactEntry): HistoryEntry {
  const event = eventOfName.get(line[0]);
  if (event === undefined) throw new Error(`A history names an event that this version does not know: Task${line[0]}`);
  const details = line[8];
  return {
    event,
    generation: line[1],
    attempt: line[2],
    eventId: line[3],
    at: line[4],
    workerId: line[5],
    partition: line[6],
    offset: line[7],
    cause: details?.cause ?? null,
    eventsPartition: details?.in ?? null,
    delivery: details?.delivery ?? null,
    starts: details?.starts ?? null,
    progress: details?.progress ?? null,
    handOver: details?.handOver ?? false,
    dueAt: details?.dueAt ?? null,
    error: details?.error ?? null,
    durationMs: details?.durationMs ?? null,
    actor: details?.actor ?? null,
    reason: details?.reason ?? null,
  };
}
