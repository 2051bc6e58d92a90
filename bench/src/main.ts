/**
 * Runs the benchmarks named on the command line (all when none is), prints their tables and writes them as JSON to
 * `bench/results/`. README.md says what they show and what may be set.
 *
 * Usage: node --conditions=taskflow-source bench/src/main.ts [NAME …]
 */
import { constants } from 'node:os';
import type { Benchmark, Table } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { writeResults } from './results.ts';
import { renderTable } from './table.ts';

// Workers that a benchmark has started end when this process exits; a signal alone would leave them behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    console.error(`ended by ${signal}`);
    process.exit(128 + constants.signals[signal]);
  });
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${benchmarks.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}
for (const benchmark of benchmarks.filter(({ name }) => names.length === 0 || names.includes(name))) {
  await runOne(benchmark);
}

async function runOne(benchmark: Benchmark): Promise<void> {
  console.log(`\n# ${benchmark.name}: ${benchmark.about}`);
  const startedAt = new Date();
  const tables: Table[] = [];
  await benchmark.run((table) => {
    console.log(`\n${table.title}\n${renderTable(table.rows)}`);
    tables.push(table);
  });
  const file = writeResults(benchmark, startedAt, tables);
  console.log(`\n${benchmark.name} took ${Math.round((Date.now() - startedAt.getTime()) / 1_000)} s: ${file}`);
}
