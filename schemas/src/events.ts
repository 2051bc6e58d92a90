/** The records of the contract, one interface each, generated from `schemas/avro`. Times are milliseconds since 1970 (UTC). */
export type { PoisonRecord } from './generated/PoisonRecord.ts';
export {
  type RecordName,
  type RecordTypes,
  recordNames,
  type TaskEvent,
  type TaskflowRecord,
  taskEventNames,
} from './generated/records.ts';
export type { Task } from './generated/Task.ts';
export type { TaskCancelled } from './generated/TaskCancelled.ts';
export type { TaskCancelRequested } from './generated/TaskCancelRequested.ts';
export type { TaskError } from './generated/TaskError.ts';
export type { TaskEventHead } from './generated/TaskEventHead.ts';
export type { TaskFailed } from './generated/TaskFailed.ts';
export type { TaskHeartbeat } from './generated/TaskHeartbeat.ts';
export type { TaskLogLine } from './generated/TaskLogLine.ts';
export type { TaskQueued } from './generated/TaskQueued.ts';
export type { TaskResult } from './generated/TaskResult.ts';
export type { TaskRetryScheduled } from './generated/TaskRetryScheduled.ts';
export type { TaskScheduled } from './generated/TaskScheduled.ts';
export type { TaskStarted } from './generated/TaskStarted.ts';
export type { TaskSucceeded } from './generated/TaskSucceeded.ts';
export type { TaskTypeRegistered } from './generated/TaskTypeRegistered.ts';
export type { TypePaused } from './generated/TypePaused.ts';
export type { TypeResumed } from './generated/TypeResumed.ts';

import { type TaskEvent, type TaskflowRecord, taskEventNames } from './generated/records.ts';

const namesOfTaskEvents: ReadonlySet<string> = new Set(taskEventNames);

/** Whether a record tells what happened to a task (it begins with the head), as against a line of log, a signal or a registration. */
export function isTaskEvent(record: TaskflowRecord): record is TaskEvent {
  return namesOfTaskEvents.has(record.event);
}
