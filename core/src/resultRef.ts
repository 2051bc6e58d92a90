/**
 * The name of a result in its store: `<taskId>.<generation>.<attempt>.<workerId>`. The run alone decides it, so that
 * inserting a result twice is a duplicate key, and of two runs of one attempt neither overwrites the other's: which
 * of them counts is for the fold to say.
 */
export function resultRef(run: { taskId: string; generation: number; attempt: number }, workerId: string): string {
  return `${run.taskId}.${run.generation}.${run.attempt}.${workerId}`;
}
