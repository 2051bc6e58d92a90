import type { RunningSystem, SystemOptions } from '@taskflow/embedded/system';
import type { Row } from './table.ts';
import type { Database } from './visible.ts';

/** One printed table of a benchmark. */
export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** What a benchmark runs against: the real services as processes, and their read model. */
export interface BenchmarkContext {
  readonly system: RunningSystem;
  readonly database: Database;
  readonly size: number;
}

/** A program that measures one thing, at one or more sizes. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  readonly sizes: readonly number[];
  /** How its system differs from what `make start` runs. */
  readonly system?: Pick<SystemOptions, 'workers' | 'environment'>;
  run(context: BenchmarkContext): Promise<readonly Table[]>;
}
