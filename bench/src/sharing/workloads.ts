import { type Submission, submissions } from '../load/batches.ts';
import { TYPESCRIPT } from '../system/workerKinds.ts';

/** Tasks that only wait, each for its time. */
export interface Workload {
  readonly shown: string;
  readonly tasks: readonly Submission[];
  readonly meanMs: number;
}

const EVEN_MS = 20;
/** So that one task in a hundred is below a tenth of the median, and one above ten times: what lies beyond is cut off. */
const SIGMA = Math.LN10 / 2.326;

/** Tasks that wait for 20 ms. */
export function evenTasks(count: number): Workload {
  return workload(`${EVEN_MS} ms each`, Array<number>(count).fill(EVEN_MS));
}

/** Tasks whose times are log-normal, from a tenth of the median to ten times it, in an order that is the same each time. */
export function unevenTasks(count: number, medianMs: number): Workload {
  const times = Array.from({ length: count }, (_, index) => {
    // Box and Muller's normal numbers from a sequence that fills the square evenly.
    const first = ((index + 1) * 0.754_877_666_2) % 1;
    const second = ((index + 1) * 0.569_840_291) % 1;
    const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
    const factor = Math.exp(SIGMA * normal);
    return Math.round(medianMs * Math.min(10, Math.max(0.1, factor)));
  });
  return workload(`log-normal, ${medianMs / 10} to ${medianMs * 10} ms`, times);
}

function workload(shown: string, times: readonly number[]): Workload {
  return {
    shown,
    tasks: submissions(times.length, (index) => ({ type: TYPESCRIPT.type, payload: { sleepMs: times[index] } })),
    meanMs: times.reduce((sum, time) => sum + time, 0) / times.length,
  };
}
