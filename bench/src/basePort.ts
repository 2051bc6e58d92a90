/** All ports of a benchmark's system are counted from this one; `TASKFLOW_BENCH_BASE_PORT` moves it, so that two can run side by side. */
export const BASE_PORT = Number(process.env.TASKFLOW_BENCH_BASE_PORT ?? 23_000);
