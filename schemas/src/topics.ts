import { isPriority, type Priority } from './priorities.ts';

export { isPriority, PRIORITIES, type Priority } from './priorities.ts';

/**
 * What a task type may be called: a lower-case letter, then lower-case letters, digits and underscores, 64 at most.
 * No dot, so that a topic's name can be taken apart; no hyphen, so that no type is mistaken for a task id where both
 * are keys of one topic; short enough that a topic's name stays far below Kafka's 249 characters.
 */
export const typeNamePattern = /^[a-z][a-z0-9_]{0,63}$/;

/** The topic that holds the queue of a type and priority: nothing but TaskQueued, so that its lag is the backlog. */
export const queueTopic = rememberingLast((type, priority) => `taskflow.queue.${type}.${priority}`);

/** The topic that holds what happened to the tasks of a type and priority, in order for each task. */
export const eventsTopic = rememberingLast((type, priority) => `taskflow.events.${type}.${priority}`);

/**
 * Gives the very string that was given before, where the same is asked for again: topics are named for each task, and a new text
 * is hashed anew by every map that it is looked up in.
 */
function rememberingLast(nameOf: (type: string, priority: string) => string) {
  let last = { type: '', priority: '', name: nameOf('', '') };
  return (type: string, priority: string): string => {
    if (type !== last.type || priority !== last.priority) last = { type, priority, name: nameOf(type, priority) };
    return last.name;
  };
}

/**
 * No writer puts more records of a queue into one batch. Workers with as many free slots acquire whole batches, of which the broker
 * keeps account as of one, and not record by record.
 */
export const queueBatchRecords = 500;

/** The share group through which workers take the records of one queue topic. */
export function shareGroup(type: string, priority: string): string {
  return `taskflow.${type}.${priority}`;
}

/** Signals to workers, compacted: TaskCancelRequested (key: task id), TypePaused and TypeResumed (key: type). */
export const controlTopic = 'taskflow.control';
/** TaskLogLine, key task id, kept for 7 days. */
export const logsTopic = 'taskflow.logs';
/** TaskTypeRegistered, key type, compacted: the catalogue of types. */
export const typesTopic = 'taskflow.types';
/** Runs and steps of workflows. */
export const workflowsTopic = 'taskflow.workflows';
/** Cron schedules. */
export const schedulesTopic = 'taskflow.schedules';
/** Who did what, kept. */
export const auditTopic = 'taskflow.audit';
/** PoisonRecord, key topic/partition/offset, kept for 7 days. */
export const poisonTopic = 'taskflow.poison';

/** The topics that do not belong to a type. */
export const systemTopicNames = [
  controlTopic,
  logsTopic,
  typesTopic,
  workflowsTopic,
  schedulesTopic,
  auditTopic,
  poisonTopic,
] as const;

export interface TaskTopic {
  readonly family: 'queue' | 'events';
  readonly type: string;
  readonly priority: Priority;
}

/** Takes the name of a queue or events topic apart; undefined for any other topic. */
export function parseTaskTopic(name: string): TaskTopic | undefined {
  const [root, family, type, priority, more] = name.split('.');
  if (root !== 'taskflow' || more !== undefined) return undefined;
  if (family !== 'queue' && family !== 'events') return undefined;
  if (type === undefined || !typeNamePattern.test(type)) return undefined;
  if (priority === undefined || !isPriority(priority)) return undefined;
  return { family, type, priority };
}

/** The key of a PoisonRecord: where the record lies that could not be decoded. */
export function poisonKey(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}
