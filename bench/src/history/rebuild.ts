import pg from 'pg';
import { readProcessTree } from '../processTree.ts';
import { treeUsage } from '../processUsage.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { withEmptyDatabase } from '../system/emptyDatabase.ts';
import { startService } from '../system/serviceProcess.ts';
import type { Row } from '../table.ts';
import { startUsageMeter } from '../usageMeter.ts';
import { readModel, waitUntilVisible } from '../visible.ts';

const NAME = 'rebuilding-projector';

/** A second projector builds the views in a database of its own from the whole log: how long until they show all tasks of a type. */
export async function rebuild(system: BenchSystem, type: string): Promise<Row> {
  const { postgresUrl, mongoUrl } = system.addresses;
  const tasks = await system.database.countSuccess(type);
  return withEmptyDatabase(postgresUrl, 'rebuild', async (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const meter = startUsageMeter(await system.measured());
    const mongo = new URL(mongoUrl);
    mongo.pathname = '/rebuild';
    const environment = {
      TASKFLOW_GROUP_PREFIX: 'rebuild',
      TASKFLOW_POSTGRES_URL: url,
      TASKFLOW_MONGO_URL: mongo.href,
    };
    const projector = await startService(system, { name: NAME, runs: 'projector/dist/main.js', environment });
    try {
      await waitUntilVisible(readModel(pool), type, tasks);
      const seconds = (Date.now() - projector.spawnedAt) / 1_000;
      const own = treeUsage(projector.pid, readProcessTree(), new Set());
      const { processes } = meter.read();
      const micros = (name: string): number => processes.find((each) => each.name === name)!.cpuMicros / tasks;
      return {
        tasks,
        seconds,
        'tasks/s': Math.round(tasks / seconds),
        'projector µs/task': own!.cpuMicros / tasks,
        'postgres µs/task': micros('postgres'),
        'kafka µs/task': micros('kafka'),
        'projector MB': Math.round(own!.residentBytes / 1_048_576),
      };
    } finally {
      meter.stop();
      await projector.stop();
      await pool.end();
    }
  });
}
