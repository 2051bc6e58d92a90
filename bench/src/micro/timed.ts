/** So much CPU time is spent before it counts, for the compiler, and in each round. */
const WARM_MS = 300;
const ROUND_MS = 100;
const ROUNDS = 7;
/** The clock is looked at after so many calls. */
const CALLS = 1_000;

/** Nanoseconds of CPU time that one call takes, garbage collection within: the median of some rounds, and the best. */
export interface CallTime {
  readonly median: number;
  readonly best: number;
}

/** Takes the time of a function that does not wait. What it gives is kept until the next call, so that it must be made. */
export function timeOfCall(call: () => unknown): CallTime {
  round(call, WARM_MS);
  const times = Array.from({ length: ROUNDS }, () => round(call, ROUND_MS)).sort((a, b) => a - b);
  return { median: times[Math.floor(ROUNDS / 2)]!, best: times[0]! };
}

let kept: unknown;

function round(call: () => unknown, leastMs: number): number {
  let calls = 0;
  let micros = 0;
  const before = process.cpuUsage();
  while (micros < leastMs * 1_000) {
    for (let index = 0; index < CALLS; index++) kept = call();
    calls += CALLS;
    const { user, system } = process.cpuUsage(before);
    micros = user + system;
  }
  if (kept === timeOfCall) throw new Error('nobody else reads what is kept');
  return (micros * 1_000) / calls;
}
