import { typeNamePattern } from '@taskflow/schemas/topics';
import type { z } from 'zod';
import type { SafeFetch } from './safeFetch.ts';
import type { FileResult, TaskBlobs } from './taskBlobs.ts';

/** Lines for the task's own log (`GET /tasks/{id}/logs`). Bounded for each attempt; what is over the bound is counted and dropped. */
export interface TaskLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a handler gets. All of it may be destructured. */
export interface TaskContext<Payload> {
  /** As the payload schema gives it: checked, defaults filled in. */
  readonly payload: Payload;
  readonly taskId: string;
  readonly userId: string;
  /** Counts redrives, 0 at first. */
  readonly generation: number;
  /** From 1. The same attempt may run twice when a worker dies. */
  readonly attempt: number;
  /** The same for every run and attempt of a generation: give it to services that can drop repeats. */
  readonly idempotencyKey: string;
  /** Aborts at the attempt's time limit and when the worker stops. A handler that ignores it is abandoned: its result is dropped. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** Shown with the task while it runs. `fraction` from 0 to 1; written at most once a second. */
  progress(fraction: number, note?: string): void;
  /** The one way for a task to reach a URL that a user chose: it refuses private addresses and bounds everything. */
  readonly fetch: SafeFetch;
  /** Opens what the user has uploaded, and stores files that the task makes: return a `FileResult` for one that is its result. */
  readonly blobs: TaskBlobs;
}

/** Options of a type that a submission may override. What is not set here has the platform's default. */
export interface TaskDefaults {
  timeoutMs?: number;
  retry?: {
    maxAttempts?: number;
    backoff?: { baseMs?: number; factor?: number; capMs?: number };
    notRetryable?: readonly string[];
  };
}

export interface TaskDefinition<Payload extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  /** Snake case, the name of the folder, part of topic names: it can never change. */
  readonly type: string;
  /** Raised when payload or result change their meaning. */
  readonly version: number;
  /** Its JSON Schema is published and must refuse all that this refuses (no `.refine`, no regex flags). */
  readonly payload: Payload;
  readonly result: Result;
  readonly defaults?: TaskDefaults;
  /** Results are small and never queried: they stay in the task instead of the result view. Default false. */
  readonly inline?: boolean;
  /** How many run at once in a process, over all priorities. Default 64; `TASKFLOW_SLOTS` overrides it. */
  readonly slots?: number;
  /** What to do about a run whose worker may be gone: run it again, or wait for its lease because effects cannot bear a second run. Default `at-once`. */
  readonly takeover?: 'at-once' | 'after-lease';
  /** A few words of a result, for lists. */
  preview?(result: z.output<Result>): string | null;
  /** Error codes of this type's own: code to meaning. */
  readonly errors?: Readonly<Record<string, string>>;
  /** For tests and benchmarks only: `TASKFLOW_TEST_TYPES=false` switches it off. */
  readonly testOnly?: boolean;
  /**
   * Does the work. At least once: a run whose worker dies is run again. Throw `TaskError` for an error code of its own.
   * Return the value itself, without a promise, where nothing was waited for: at 10,000 tasks a second that counts.
   */
  run(context: TaskContext<z.output<Payload>>): Returned<Result> | Promise<Returned<Result>>;
}

/** A result as the schema takes it, or a file with figures that it takes. */
type Returned<Result extends z.ZodType> = z.input<Result> | FileResult<z.input<Result>>;

/** A definition whose payload and result types do not matter to whoever holds it. */
export type AnyTaskDefinition = Omit<TaskDefinition, 'run' | 'preview'> & {
  preview?(result: never): string | null;
  run(context: TaskContext<never>): unknown;
};

const ERROR_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Declares a task type: the default export of `workers/tasks/<type>/task.ts`. Throws on a definition that could not work. */
export function defineTask<Payload extends z.ZodType, Result extends z.ZodType>(
  definition: TaskDefinition<Payload, Result>,
): TaskDefinition<Payload, Result> {
  const { type, version, slots, defaults } = definition;
  const wrong = (what: string) => new TypeError(`Task type ${JSON.stringify(type)}: ${what}`);
  if (!typeNamePattern.test(type)) throw wrong(`its name must fit ${typeNamePattern}`);
  if (!Number.isInteger(version) || version < 1) throw wrong(`version must be an integer from 1, is ${version}`);
  if (slots !== undefined && (!Number.isInteger(slots) || slots < 1))
    throw wrong(`slots must be an integer from 1, is ${slots}`);
  const timeoutMs = defaults?.timeoutMs;
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= 86_400_000)) {
    throw wrong(`defaults.timeoutMs must be an integer from 1 to 86,400,000, is ${timeoutMs}`);
  }
  for (const code of Object.keys(definition.errors ?? {})) {
    if (!ERROR_CODE.test(code)) throw wrong(`error code ${JSON.stringify(code)} must be upper snake case`);
  }
  return definition;
}
