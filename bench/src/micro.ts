/** `micro`: the pieces that a task passes through, each by itself, so that a regression can be found where it is. */
import type { Benchmark } from './benchmark.ts';
import { appendTables } from './micro/append.ts';
import { codecTable } from './micro/codec.ts';
import { foldTable } from './micro/fold.ts';
import { projectionFlushTable } from './micro/projectionFlush.ts';
import { queueFetchTables } from './micro/queueFetch.ts';
import { withSystem } from './system/benchSystem.ts';

export const micro: Benchmark = {
  name: 'micro',
  about: 'encode, decode, fold, append, queue fetch and projection flush, each by itself',
  async run(report) {
    report(codecTable());
    report(foldTable());
    // Services and databases are there, but have nothing to do.
    await withSystem(async ({ cluster, addresses }) => {
      for (const table of await appendTables(cluster)) report(table);
      for (const table of await queueFetchTables(cluster)) report(table);
      report(await projectionFlushTable(addresses.postgresUrl));
    });
  },
};
