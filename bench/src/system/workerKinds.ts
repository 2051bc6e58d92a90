import type { ServiceProgram } from './serviceProcess.ts';

/** A worker program, and its type that does nothing. */
export interface WorkerKind {
  readonly shown: string;
  /** From the root of the repository: a file for Node.js, or the Go worker. */
  readonly runs: string;
  /** Takes `sleepMs`; its result is `echo` of the payload, or null. */
  readonly type: string;
}

export const TYPESCRIPT: WorkerKind = { shown: 'TypeScript workers', runs: 'workers/dist/main.js', type: 'noop' };

export const GO: WorkerKind = { shown: 'Go workers', runs: 'go-workers/bin/go-worker', type: 'noop_go' };

/** TypeScript, of a type whose results are documents in MongoDB. */
export const DOCUMENTS: WorkerKind = {
  shown: 'TypeScript workers, results to MongoDB',
  runs: 'bench/src/documents/worker.ts',
  type: 'noop_document',
};

/** A worker as a program to start: with all types that it has, whatever the system's own worker runs. */
export function workerProgram(
  { runs }: WorkerKind,
  name: string,
  environment: Readonly<Record<string, string>> = {},
): ServiceProgram {
  return {
    name,
    runs,
    environment: {
      TASKFLOW_WORKER_NAME: name,
      TASKFLOW_TASK_TYPES: '',
      TASKFLOW_STOP_GRACE_MS: '4000',
      ...environment,
    },
  };
}
