import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Benchmark, Table } from './benchmark.ts';
import { SCALE } from './options.ts';

const folder = path.join(import.meta.dirname, '../results');

/** Writes what a benchmark has shown as JSON to `bench/results/`, with the machine it ran on. Gives the file. */
export function writeResults({ name, about }: Benchmark, startedAt: Date, tables: readonly Table[]): string {
  const machine = {
    cpus: os.cpus().length,
    model: os.cpus()[0]?.model ?? '',
    memoryBytes: os.totalmem(),
    kernel: os.release(),
    node: process.version,
  };
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const results = { name, about, startedAt: startedAt.toISOString(), seconds, scale: SCALE, machine, tables };
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}
