import { type RunningSystem, type SystemOptions, startSystem } from '@taskflow/embedded/system';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { connectRegistry } from '@taskflow/log/registry';
import type { Codec } from '@taskflow/schemas/codec';
import pg from 'pg';
import { BASE_PORT } from '../basePort.ts';
import type { NamedProcess } from '../usageMeter.ts';
import { type Database, readModel } from '../visible.ts';
import { untilPublished } from './api.ts';
import { type ServiceProcess, startService } from './serviceProcess.ts';
import { type WorkerKind, workerProgram } from './workerKinds.ts';

/** A running system as benchmarks use it: with eyes in its log and its read model, and workers that come and go. */
export interface BenchSystem extends RunningSystem {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly cluster: Cluster;
  readonly codec: Codec;
  /** Resolves when the worker is ready, and the api takes tasks of its type. */
  startWorker(kind: WorkerKind, name: string, environment?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  /** Stops those that run, and starts so many anew: `worker-1`, … */
  startWorkers(
    kind: WorkerKind,
    count: number,
    environment?: Readonly<Record<string, string>>,
  ): Promise<readonly ServiceProcess[]>;
  /** All that costs something: servers, services, workers, and this process, which makes the load. */
  measured(): Promise<readonly NamedProcess[]>;
}

/** An api is ready once it knows a type: the system's own worker runs one that no benchmark uses, and waits. */
export const ONE_IDLE_WORKER = { workers: 0, goWorkers: 1, environment: { TASKFLOW_TASK_TYPES: 'file_hash' } };

/**
 * Starts a system that nothing has used yet, in which no worker works but those that `work` starts, and stops it after `work`.
 * Durable as shipped: nothing is switched off for speed.
 */
export async function withSystem<T>(
  work: (system: BenchSystem) => Promise<T>,
  options: Pick<SystemOptions, 'workers' | 'goWorkers' | 'environment'> = ONE_IDLE_WORKER,
): Promise<T> {
  const system = await startSystem({ basePort: BASE_PORT, ...options });
  const pool = new pg.Pool({ connectionString: system.addresses.postgresUrl, max: 2 });
  const workers = new Map<string, ServiceProcess>();
  const stopWorkers = async (): Promise<void> => {
    const stopping = [...workers.values()];
    workers.clear();
    await Promise.all(stopping.map((worker) => worker.stop()));
  };
  let cluster: Cluster | undefined;
  try {
    cluster = await connectCluster({ brokers: [system.addresses.brokers], clientId: 'bench' });
    const { codec } = await connectRegistry({ url: system.addresses.registryUrl });
    const startWorker: BenchSystem['startWorker'] = async (kind, name, environment) => {
      const worker = await startService(system, workerProgram(kind, name, environment));
      workers.set(name, worker);
      await untilPublished(system, kind.type);
      return worker;
    };
    return await work({
      ...system,
      pool,
      database: readModel(pool),
      cluster,
      codec,
      startWorker,
      async startWorkers(kind, count, environment) {
        await stopWorkers();
        const names = Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
        return Promise.all(names.map((name) => startWorker(kind, name, environment)));
      },
      measured: async () => [
        ...(await system.processes()),
        ...[...workers.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
        { name: 'load generator', pid: process.pid },
      ],
    });
  } finally {
    await stopWorkers();
    await cluster?.close();
    await pool.end();
    await system.stop();
  }
}
