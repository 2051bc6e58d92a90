/**
 * Runs the whole worker protocol in simulated time, many times, and prints what came of it:
 *
 *     node --conditions=taskflow-source core/src/simulation/main.ts [runs] [first seed]
 *
 * Exits 1 if a run broke a promise; its seed is printed, and `main.ts 1 <seed>` repeats it.
 */
import { simulate } from './simulate.ts';
import { storiesOf, summaryOf, tableOf } from './summary.ts';

const runs = Number(process.argv[2] ?? 1_000);
const first = Number(process.argv[3] ?? 1);
const summary = summaryOf();
for (let seed = first; seed < first + runs; seed++) summary.add(simulate(seed));
console.log(tableOf(summary));
if (runs === 1) for (const line of storiesOf(summary)) console.log(line);
process.exitCode = summary.broken.length === 0 ? 0 : 1;
