import { developmentKey } from './starter/developmentKey.ts';
import { stackEnvironment, systemEnvironment, systemParts } from './starter/parts.ts';
import { runBeside } from './starter/runBeside.ts';

export interface SystemOptions {
  /**
   * Where it keeps its data and logs, also when it has stopped. Without it, a temporary folder that goes when it stops; the
   * logs then stay in `.taskflow/test/<basePort>/`.
   */
  readonly stateDir?: string;
  /**
   * All its ports are counted from this one: 80 the api, 92 Kafka, 81 registry, 432 PostgreSQL, 17 MongoDB, 379 Redis, 290 S3, 100… status,
   * 300… gRPC.
   */
  readonly basePort: number;
  /** Two unless given. */
  readonly workers?: number;
  /** None unless given. */
  readonly goWorkers?: number;
  /** For tests: its servers survive a kill but no power cut. */
  readonly brief?: boolean;
  /** Variables for the services, beside those that lead them to the stack. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where clients find the stack under a running system. */
export interface SystemAddresses {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly postgresUrl: string;
  readonly mongoUrl: string;
  readonly redisUrl: string;
  readonly s3Url: string;
}

export interface RunningSystem {
  readonly apiUrl: string;
  /** API key of the development account. */
  readonly key: string;
  readonly addresses: SystemAddresses;
  /** What a service is told so that it joins this system. */
  readonly environment: Readonly<Record<string, string>>;
  /** The running processes, servers and services; one that is killed is started again. */
  processes(): Promise<readonly { readonly name: string; readonly pid: number }[]>;
  /** Ends all in order. */
  stop(): Promise<void>;
}

/**
 * Starts the whole system beside others, for tests and benchmarks: what `make start` starts, with the compiled services
 * (so build first). Resolves when the api is ready. It ends with this process, however that ends.
 */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const { basePort, stateDir, workers = 2, goWorkers, brief = false, environment = {} } = options;
  let key = '';
  const { settings, processes, stop } = await runBeside(
    { basePort, movedBy: 'its base port', stateDir, workers, goWorkers },
    async (settings) => {
      key = await developmentKey(settings.stateDir, environment.TASKFLOW_DEV_KEY);
      return systemParts(settings, { ...process.env, ...environment, ...systemEnvironment(settings, key) }, { brief });
    },
  );
  const addresses = stackEnvironment(settings);
  return {
    apiUrl: `http://127.0.0.1:${settings.ports.api}`,
    key,
    addresses: {
      brokers: addresses.TASKFLOW_KAFKA_BROKERS,
      registryUrl: addresses.TASKFLOW_REGISTRY_URL,
      postgresUrl: addresses.TASKFLOW_POSTGRES_URL,
      mongoUrl: addresses.TASKFLOW_MONGO_URL,
      redisUrl: addresses.TASKFLOW_REDIS_URL,
      s3Url: addresses.TASKFLOW_S3_URL,
    },
    environment: { ...environment, ...systemEnvironment(settings, key) },
    processes: async () => processes(),
    stop,
  };
}
