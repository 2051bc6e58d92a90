/** What may be said to the benchmarks by environment variables. README.md lists them. */

/** Every number of tasks is multiplied by it. For a quick look; figures that count are those at 1. */
export const SCALE = numberOf('TASKFLOW_BENCH_SCALE', 1);

/** How long the long run lasts that `sharing` puts among short ones. */
export const LONG_RUN_SECONDS = numberOf('TASKFLOW_BENCH_LONG_RUN_SECONDS', 20);

/** How many finished tasks `history` puts into the log and the views. */
export const HISTORY_TASKS = numberOf('TASKFLOW_BENCH_HISTORY_TASKS', 1_000_000 * SCALE);

/** A number of tasks at the scale of this run, a hundred at least. */
export function scaled(tasks: number): number {
  return Math.max(100, Math.round(tasks * SCALE));
}

function numberOf(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${variable} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}
