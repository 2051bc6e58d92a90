import type { Task, TaskResult } from '@taskflow/schemas/events';
import { historyFromJson, historyToJson, restoreState, type TaskState } from '@taskflow/schemas/fold';

/** A row of the table `tasks` as a pool of `createPostgresPool` reads it: times in milliseconds since 1970. */
export interface TaskRow {
  readonly id: string;
  readonly user_id: string;
  readonly type: string;
  readonly priority: string;
  readonly run_id: string | null;
  readonly step_id: string | null;
  readonly status: string;
  readonly version: number;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly error_code: string | null;
  /** JSON text; null until the submission has been read: such a task is neither shown nor counted. */
  readonly payload: string | null;
  readonly options: string | null;
  readonly result: string | null;
  readonly history: string;
}

/** The columns that `taskStateFromRow` needs, for a select list. The others only serve to find rows. */
export const TASK_STATE_COLUMNS = 'id, user_id, type, priority, run_id, step_id, payload, options, result, history';

/** What `TASK_STATE_COLUMNS` selects. */
export type TaskStateRow = Pick<
  TaskRow,
  'id' | 'user_id' | 'type' | 'priority' | 'run_id' | 'step_id' | 'payload' | 'options' | 'result' | 'history'
>;

/** The state that a row holds: all that the api shows of a task follows from it. */
export function taskStateFromRow(row: TaskStateRow): TaskState {
  return restoreState({
    id: row.id,
    userId: row.user_id,
    type: row.type,
    priority: row.priority,
    runId: row.run_id,
    stepId: row.step_id,
    submission: row.payload === null || row.options === null ? null : submissionOf(row.payload, row.options),
    result: row.result === null ? null : resultFromJson(row.result),
    history: historyFromJson(row.history),
  });
}

/** The value of each column for a state. Tags are a literal of `text[]`. */
export const TASK_COLUMNS = {
  id: ({ id }: TaskState): string => id,
  user_id: ({ userId }: TaskState): string => userId,
  type: ({ type }: TaskState): string => type,
  priority: ({ priority }: TaskState): string => priority,
  run_id: ({ runId }: TaskState): string | null => runId,
  step_id: ({ stepId }: TaskState): string | null => stepId,
  status: ({ status }: TaskState): string => status,
  version: ({ version }: TaskState): number => version,
  created_at: ({ createdAt }: TaskState): number => createdAt,
  finished_at: ({ finishedAt }: TaskState): number | null => finishedAt,
  error_code: ({ error }: TaskState): string | null => (error === null ? null : error.code),
  tags: ({ submission }: TaskState): string | null =>
    submission === null || submission.tags.length === 0 ? null : searchableTags(submission.tags),
  payload: ({ submission }: TaskState): string | null => (submission === null ? null : submission.payload),
  options: ({ submission }: TaskState): string | null => (submission === null ? null : optionsToJson(submission)),
  result: ({ result }: TaskState): string | null => (result === null ? null : resultToJson(result)),
  history: ({ history }: TaskState): string => historyToJson(history),
};

/** The row that holds a state. */
export function rowOfTaskState(state: TaskState): TaskRow & { readonly tags: string | null } {
  const values = Object.entries(TASK_COLUMNS).map(([name, of]) => [name, of(state)]);
  return Object.fromEntries(values) as TaskRow & { readonly tags: string | null };
}

// Values in the order below and no names, since these texts are written for every task: what a write costs goes by its bytes.

function optionsToJson(task: Task): string {
  return JSON.stringify([
    task.maxAttempts,
    task.backoffBaseMs,
    task.backoffFactor,
    task.backoffCapMs,
    task.notRetryable,
    task.timeoutMs,
    task.expiresAt,
    task.tags,
    task.idempotencyKey,
    task.bodyHash,
    task.scheduleId,
  ]);
}

type Options = [
  maxAttempts: number,
  backoffBaseMs: number,
  backoffFactor: number,
  backoffCapMs: number,
  notRetryable: string[],
  timeoutMs: number,
  expiresAt: number | null,
  tags: string[],
  idempotencyKey: string | null,
  bodyHash: string | null,
  scheduleId: string | null,
];

function submissionOf(payload: string, json: string): Task {
  const [
    maxAttempts,
    backoffBaseMs,
    backoffFactor,
    backoffCapMs,
    notRetryable,
    timeoutMs,
    expiresAt,
    tags,
    idempotencyKey,
    bodyHash,
    scheduleId,
  ] = JSON.parse(json) as Options;
  return {
    payload,
    maxAttempts,
    backoffBaseMs,
    backoffFactor,
    backoffCapMs,
    notRetryable,
    timeoutMs,
    expiresAt,
    tags,
    idempotencyKey,
    bodyHash,
    scheduleId,
  };
}

function resultToJson({ storage, value, ref, preview, size, contentType, sha256, ttlMs }: TaskResult): string {
  return JSON.stringify([storage, value, ref, preview, size, contentType, sha256, ttlMs]);
}

type Result = [
  storage: string,
  value: string | null,
  ref: string | null,
  preview: string | null,
  size: number,
  contentType: string,
  sha256: string,
  ttlMs: number | null,
];

function resultFromJson(json: string): TaskResult {
  const [storage, value, ref, preview, size, contentType, sha256, ttlMs] = JSON.parse(json) as Result;
  return { storage, value, ref, preview, size, contentType, sha256, ttlMs };
}

/** Longer ones, which the api refuses, would not fit the index. They are kept in the options all the same. */
const LONGEST_SEARCHABLE_TAG = 500;

/** A literal of `text[]`. */
function searchableTags(tags: readonly string[]): string {
  const searchable = tags.filter((tag) => tag.length <= LONGEST_SEARCHABLE_TAG);
  return `{${searchable.map((tag) => `"${tag.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
