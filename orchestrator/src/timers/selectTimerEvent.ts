import { isUuid } from '@taskflow/core/ids';
import type { LogRecord } from '@taskflow/log/logRecord';
import { isTaskEvent, type RecordName, type TaskEvent, type TaskflowRecord } from '@taskflow/schemas/events';
import { isEnd } from '@taskflow/schemas/fold';
import { parseTaskTopic, type TaskTopic } from '@taskflow/schemas/topics';
import type { OpenTasks } from './openTasks.ts';

/** Events that may set a timer, or make a row to remember something by, whether or not there is one. */
const decodedAlways: ReadonlySet<string> = new Set<TaskEvent['event']>([
  'TaskScheduled',
  'TaskHeartbeat',
  'TaskRetryScheduled',
  'TaskCancelled',
]);
const decodedWhereOpen: ReadonlySet<string> = new Set<TaskEvent['event']>([
  'TaskStarted',
  'TaskSucceeded',
  'TaskFailed',
]);

/**
 * Whether a record's body is decoded: by the event's name, and by its key whether the task may have a row. Of a `TaskQueued` the cause is
 * read first, which tells a submission, of which there are most, from what a timer has queued.
 */
export function wantsTimerEvent(
  open: OpenTasks,
  name: RecordName,
  { key, value }: Pick<LogRecord, 'key' | 'value'>,
  causeOf: (queued: Buffer) => string | undefined,
): boolean {
  if (decodedAlways.has(name)) return true;
  if (name === 'TaskQueued') return open.hasKey(key) || value === null || !isSubmitted(causeOf(value));
  return decodedWhereOpen.has(name) && open.hasKey(key);
}

/** The event, where it may change a row of `timers`; notes which tasks have one. What is no event in its place is passed over: the projector parks it. */
export function selectTimerEvent(open: OpenTasks, decoded: TaskflowRecord, record: LogRecord): TaskEvent | undefined {
  if (!isTaskEvent(decoded) || !matters(open, decoded) || !belongs(decoded, record.topic)) return undefined;
  if (isEnd(decoded.event)) open.ended(decoded.taskId, decoded.generation);
  else if (setsTimer(decoded)) open.add(decoded.taskId, decoded.generation);
  return decoded;
}

function matters(open: OpenTasks, event: TaskEvent): boolean {
  if (setsTimer(event) || event.event === 'TaskCancelled') return true;
  // What a timer has queued may be read before what set the timer: there is no order between the two families.
  if (event.event === 'TaskQueued' && !isSubmitted(event.cause)) return true;
  return open.has(event.taskId);
}

/** By somebody, not by a timer. */
function isSubmitted(cause: string | undefined): boolean {
  return cause === 'submit' || cause === 'redrive';
}

function setsTimer(event: TaskEvent): boolean {
  if (event.event === 'TaskHeartbeat') return event.task !== null;
  return event.event === 'TaskScheduled' || event.event === 'TaskRetryScheduled';
}

/** The last moment that has a four-digit year: beyond it nothing can be kept. */
const latestTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function belongs(event: TaskEvent, topicName: string): boolean {
  const topic = placeOf(topicName);
  if (topic === undefined || topic.family !== (event.event === 'TaskQueued' ? 'queue' : 'events')) return false;
  if (topic.type !== event.type || topic.priority !== event.priority) return false;
  if (!isUuid(event.taskId) || event.taskId !== event.taskId.toLowerCase() || !isUuid(event.userId)) return false;
  if (!isWithin(event.generation, 2 ** 30 - 1) || !isWithin(event.attempt, 2 ** 20 - 1)) return false;
  switch (event.event) {
    case 'TaskScheduled':
      return event.runAt === null || isWithin(event.runAt, latestTime);
    case 'TaskRetryScheduled':
      return isWithin(event.retryAt, latestTime);
    default:
      return true;
  }
}

function isWithin(value: number, greatest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= greatest;
}

const topics = new Map<string, TaskTopic | undefined>();

function placeOf(topicName: string): TaskTopic | undefined {
  if (!topics.has(topicName)) topics.set(topicName, parseTaskTopic(topicName));
  return topics.get(topicName);
}
