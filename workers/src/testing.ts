/** For the tests of task types: calls a handler with a context that is made up, without a queue, a broker or a database. */
import type { z } from 'zod';
import type { TaskContext, TaskDefinition } from './defineTask.ts';
import type { SafeFetch } from './safeFetch.ts';
import { FileResult, type TaskBlobs } from './taskBlobs.ts';
import { fakeBlobs } from './testing/fakeBlobs.ts';

/** A line that a handler logged. */
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

/** What the test gives to the handler, or is to be told of it. All of it may be left out. */
export interface RunTaskOptions {
  /** What its fetches meet. Without it each one fails. */
  readonly fetch?: SafeFetch;
  /** A store in memory unless given. */
  readonly blobs?: TaskBlobs;
  /** 1 unless given. */
  readonly attempt?: number;
  /** Abort it to see what the handler does at its time limit, or when its task is cancelled. */
  readonly signal?: AbortSignal;
  /** Gets what it logs. */
  readonly lines?: LoggedLine[];
  /** Gets what it says of its progress, all of it (the runtime writes it once a second at most). */
  readonly progress?: { fraction: number; note: string | null }[];
}

const USER_ID = '00000000-0000-4000-8000-000000000001';
const TASK_ID = '01890000-0000-7000-8000-000000000001';

/**
 * Calls a handler as the runtime does: the payload is checked and its defaults are filled in before, the result is checked
 * afterwards; of a file it gives the figures. Rejects with what the handler throws, and with zod's error for a payload or a result that the type refuses.
 */
export async function runTask<P extends z.ZodType, R extends z.ZodType>(
  definition: TaskDefinition<P, R>,
  payload: z.input<P>,
  options: RunTaskOptions = {},
): Promise<z.output<R>> {
  const returned = await definition.run(fakeContext(definition.payload.parse(payload), options));
  return definition.result.parse(returned instanceof FileResult ? returned.figures : returned);
}

function fakeContext<Payload>(payload: Payload, options: RunTaskOptions): TaskContext<Payload> {
  const { attempt = 1, signal = new AbortController().signal, lines, progress } = options;
  const line = (level: string) => (message: string, fields?: unknown) => void lines?.push({ level, message, fields });
  return {
    payload,
    taskId: TASK_ID,
    userId: USER_ID,
    generation: 0,
    attempt,
    idempotencyKey: `${TASK_ID}.0`,
    signal,
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    progress: (fraction, note) => void progress?.push({ fraction, note: note ?? null }),
    fetch: options.fetch ?? (() => Promise.reject(new Error('This test fetches nothing'))),
    blobs: options.blobs ?? fakeBlobs().of(USER_ID, signal),
  };
}
