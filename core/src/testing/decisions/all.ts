import { built } from './built.ts';
import type { AnyDecision } from './decision.ts';
import { claim, deliveredCheck } from './deliveredCheck.ts';
import { control, expiry, order, retry } from './ending.ts';
import { findings } from './findings.ts';
import { handOver, heartbeats, overtaken, report, stop, upkeep } from './holding.ts';
import { lookBack } from './lookBack.ts';
import { suspicion } from './suspicion.ts';

/** The decisions that a worker needs, in whatever language it is written. */
export const decisions: readonly AnyDecision[] = [
  suspicion,
  lookBack,
  findings,
  deliveredCheck,
  claim,
  handOver,
  overtaken,
  report,
  upkeep,
  heartbeats,
  stop,
  retry,
  expiry,
  control,
  order,
  built,
] as readonly unknown[] as readonly AnyDecision[];
