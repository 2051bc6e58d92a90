import type { Row } from './table.ts';

/** One printed table of a benchmark. */
export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Prints a table, and keeps it for the results. */
export type Report = (table: Table) => void;

/** A program that measures one thing, on systems that it starts for it. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(report: Report): Promise<void>;
}
