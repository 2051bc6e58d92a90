/**
 * Runs the benchmarks named on the command line (all when none is), each against a system of its own, prints their tables
 * and writes them as JSON to `bench/results/`.
 *
 * Usage: node --conditions=taskflow-source bench/src/main.ts [NAME …]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startSystem } from '@taskflow/embedded/system';
import pg from 'pg';
import { BASE_PORT } from './basePort.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { burst } from './burst.ts';
import { killedWorker } from './killedWorker.ts';
import { latency } from './latency.ts';
import { longRun } from './longRun.ts';
import { priorities } from './priorities.ts';
import { sharing } from './sharing.ts';
import { single } from './single.ts';
import { renderTable } from './table.ts';
import { readModel } from './visible.ts';

const benchmarks: readonly Benchmark[] = [latency, single, burst, sharing, priorities, longRun, killedWorker];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${benchmarks.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

for (const benchmark of benchmarks.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`\n# ${benchmark.name}: ${benchmark.about}`);
  writeResults(benchmark.name, await measure(benchmark));
}

/** Runs a benchmark in all its sizes on a system that nothing else has used. */
async function measure(benchmark: Benchmark): Promise<readonly Table[]> {
  const system = await startSystem({ basePort: BASE_PORT, ...benchmark.system });
  const pool = new pg.Pool({ connectionString: system.addresses.postgresUrl, max: 2 });
  try {
    const tables: Table[] = [];
    for (const size of benchmark.sizes) {
      for (const table of await benchmark.run({ system, database: readModel(pool), size })) {
        console.log(`\n${table.title}\n${renderTable(table.rows)}`);
        tables.push(table);
      }
    }
    return tables;
  } finally {
    await pool.end();
    await system.stop();
  }
}

function writeResults(name: string, tables: readonly Table[]): void {
  const folder = path.join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpus: os.cpus().length,
    model: os.cpus()[0]?.model ?? '',
    memoryBytes: os.totalmem(),
    node: process.version,
  };
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify({ name, machine, tables }, null, 2)}\n`);
}
