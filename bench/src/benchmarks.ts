import { backlog } from './backlog.ts';
import type { Benchmark } from './benchmark.ts';
import { burst } from './burst.ts';
import { history } from './history.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { micro } from './micro.ts';
import { priorities } from './priorities.ts';
import { sharing } from './sharing.ts';
import { single } from './single.ts';
import { takeover } from './takeover.ts';

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  burst,
  single,
  latency,
  backlog,
  sharing,
  priorities,
  takeover,
  history,
  micro,
  idle,
];
