import type { z } from 'zod';
import type { TaskContext, TaskDefinition } from '../defineTask.ts';
import type { SafeFetch } from '../safeFetch.ts';
import { FileResult, type TaskBlobs } from '../taskBlobs.ts';
import { fakeBlobs } from './fakeBlobs.ts';

const USER_ID = '00000000-0000-4000-8000-000000000001';

export interface LoggedLine {
  level: string;
  message: string;
  fields: unknown;
}

/** Calls a handler as the runtime does, with payload and result checked, and without a queue. Of a file it gives the figures. */
export async function runTask<P extends z.ZodType, R extends z.ZodType>(
  definition: TaskDefinition<P, R>,
  payload: z.input<P>,
  parts: { fetch?: SafeFetch; blobs?: TaskBlobs; attempt?: number; signal?: AbortSignal; lines?: LoggedLine[] } = {},
): Promise<z.output<R>> {
  const line = (level: string) => (message: string, fields?: unknown) =>
    void parts.lines?.push({ level, message, fields });
  const context: TaskContext<z.output<P>> = {
    payload: definition.payload.parse(payload),
    taskId: '01890000-0000-7000-8000-000000000001',
    userId: USER_ID,
    generation: 0,
    attempt: parts.attempt ?? 1,
    idempotencyKey: '01890000-0000-7000-8000-000000000001.0',
    signal: parts.signal ?? new AbortController().signal,
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    progress() {},
    fetch: parts.fetch ?? (() => Promise.reject(new Error('This test fetches nothing'))),
    blobs: parts.blobs ?? fakeBlobs().of(USER_ID, new AbortController().signal),
  };
  const returned = await definition.run(context);
  return definition.result.parse(returned instanceof FileResult ? returned.figures : returned);
}
