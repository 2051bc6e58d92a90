import { isUuid } from '@taskflow/core/ids';
import type { LogRecord } from '@taskflow/log/logRecord';
import { UndecodableError } from '@taskflow/schemas/codec';
import { isTaskEvent, type TaskEvent, type TaskflowRecord } from '@taskflow/schemas/events';
import { parseTaskTopic, type TaskTopic } from '@taskflow/schemas/topics';

/** The last moment that has a four-digit year. */
const LATEST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Beyond these a task's version is no longer exact (`packVersion`). */
const GENERATIONS = 2 ** 30;
const ATTEMPTS = 2 ** 20;

const topics = new Map<string, TaskTopic | undefined>();
/** Most events are of the user of the event before. */
let lastUser = '';

/**
 * The event of a queue or events topic. One that decodes, but that no service of this project would have written there, is
 * parked like undecodable bytes: the view's columns could not hold it, and its neighbours must go on.
 */
export function selectTaskEvent(decoded: TaskflowRecord, record: LogRecord): TaskEvent | undefined {
  if (!isTaskEvent(decoded)) return undefined;
  const reason = reasonAgainst(decoded, record.topic);
  if (reason !== undefined) throw new UndecodableError(reason);
  return decoded;
}

function reasonAgainst(event: TaskEvent, topicName: string): string | undefined {
  const topic = placeOf(topicName);
  if (topic === undefined) return 'its topic is neither a queue nor an events topic';
  const family = event.event === 'TaskQueued' ? 'queue' : 'events';
  if (topic.family !== family) return `${event.event} belongs to a topic of the ${family} family`;
  if (topic.type !== event.type || topic.priority !== event.priority) {
    return `it is of type ${event.type} and priority ${event.priority}, which have topics of their own`;
  }
  if (!isUuid(event.taskId)) return 'taskId is not a UUID';
  if (event.userId !== lastUser) {
    if (!isUuid(event.userId)) return 'userId is not a UUID';
    lastUser = event.userId;
  }
  if (!isWithin(event.occurredAt, LATEST_TIME)) return 'occurredAt is not a time from 1970 to 9999';
  if (!isWithin(event.generation, GENERATIONS - 1)) return `generation ${event.generation} is out of bounds`;
  if (!isWithin(event.attempt, ATTEMPTS - 1)) return `attempt ${event.attempt} is out of bounds`;
  return undefined;
}

function isWithin(value: number, greatest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= greatest;
}

function placeOf(topicName: string): TaskTopic | undefined {
  if (!topics.has(topicName)) topics.set(topicName, parseTaskTopic(topicName));
  return topics.get(topicName);
}
