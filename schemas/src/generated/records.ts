// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { PoisonRecord } from './PoisonRecord.ts';
import type { TaskCancelRequested } from './TaskCancelRequested.ts';
import type { TaskCancelled } from './TaskCancelled.ts';
import type { TaskFailed } from './TaskFailed.ts';
import type { TaskHeartbeat } from './TaskHeartbeat.ts';
import type { TaskLogLine } from './TaskLogLine.ts';
import type { TaskQueued } from './TaskQueued.ts';
import type { TaskRetryScheduled } from './TaskRetryScheduled.ts';
import type { TaskScheduled } from './TaskScheduled.ts';
import type { TaskStarted } from './TaskStarted.ts';
import type { TaskSucceeded } from './TaskSucceeded.ts';
import type { TaskTypeRegistered } from './TaskTypeRegistered.ts';
import type { TypePaused } from './TypePaused.ts';
import type { TypeResumed } from './TypeResumed.ts';

/** Each record that is written to a topic, by its name. */
export interface RecordTypes {
  PoisonRecord: PoisonRecord;
  TaskCancelRequested: TaskCancelRequested;
  TaskCancelled: TaskCancelled;
  TaskFailed: TaskFailed;
  TaskHeartbeat: TaskHeartbeat;
  TaskLogLine: TaskLogLine;
  TaskQueued: TaskQueued;
  TaskRetryScheduled: TaskRetryScheduled;
  TaskScheduled: TaskScheduled;
  TaskStarted: TaskStarted;
  TaskSucceeded: TaskSucceeded;
  TaskTypeRegistered: TaskTypeRegistered;
  TypePaused: TypePaused;
  TypeResumed: TypeResumed;
}

export type RecordName = keyof RecordTypes;

/** Any record that is written to a topic. */
export type TaskflowRecord = RecordTypes[RecordName];

/** What happens to a task: the events that begin with the head. */
export type TaskEvent =
  | TaskCancelled
  | TaskFailed
  | TaskHeartbeat
  | TaskQueued
  | TaskRetryScheduled
  | TaskScheduled
  | TaskStarted
  | TaskSucceeded;

export const recordNames = [
  'PoisonRecord',
  'TaskCancelRequested',
  'TaskCancelled',
  'TaskFailed',
  'TaskHeartbeat',
  'TaskLogLine',
  'TaskQueued',
  'TaskRetryScheduled',
  'TaskScheduled',
  'TaskStarted',
  'TaskSucceeded',
  'TaskTypeRegistered',
  'TypePaused',
  'TypeResumed',
] as const satisfies readonly RecordName[];

export const taskEventNames = [
  'TaskCancelled',
  'TaskFailed',
  'TaskHeartbeat',
  'TaskQueued',
  'TaskRetryScheduled',
  'TaskScheduled',
  'TaskStarted',
  'TaskSucceeded',
] as const satisfies readonly TaskEvent['event'][];
