import path from 'node:path';
import { startBroker } from './broker.ts';
import { mongoDatabase, startMongo } from './mongo.ts';
import { startPostgres } from './postgres.ts';
import { takenPorts } from './process/ports.ts';
import { temporaryState } from './process/temporaryState.ts';
import { startRedis } from './redis.ts';
import { registryUrl, startRegistry } from './registry.ts';
import type { Server } from './server.ts';

/** Moves all ports of the stack for tests, so that several developers can test on one machine. */
export const basePortVariable = 'TASKFLOW_TEST_BASE_PORT';

export interface TestStack {
  /** The variables by which the project's programs and tests find the stack. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends the servers and removes their data. */
  stop(): Promise<void>;
}

/**
 * Starts the whole stack, empty, in a temporary folder: Kafka, registry, PostgreSQL, Redis, MongoDB-wire server.
 * It ends with this process, however that ends.
 *
 * The ports are `base` + 92 (Kafka), 93 (its controller), 81 (registry), 432 (PostgreSQL), 379 (Redis), 17 (MongoDB).
 */
export async function startTestStack(base = basePort()): Promise<TestStack> {
  const ports = {
    kafka: base + 92,
    controller: base + 93,
    registry: base + 81,
    postgres: base + 432,
    redis: base + 379,
    mongo: base + 17,
  };
  const [taken] = await takenPorts(Object.values(ports));
  if (taken !== undefined) {
    throw new Error(
      `port ${taken} is taken, so the test stack cannot start; set ${basePortVariable} to move its ports`,
    );
  }

  const { folder, remove } = await temporaryState();
  const postgresUrl = `postgres://taskflow:taskflow@127.0.0.1:${ports.postgres}/taskflow`;
  const stateDir = (name: string) => path.join(folder, name);
  const servers: Server[] = [];
  const started = async <S extends Server>(starting: Promise<S>): Promise<S> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await remove();
  };

  const results = await Promise.allSettled([
    started(startBroker({ stateDir: stateDir('kafka'), port: ports.kafka, controllerPort: ports.controller })),
    started(startRegistry({ stateDir: stateDir('registry'), port: ports.registry })),
    started(startRedis({ stateDir: stateDir('redis'), port: ports.redis })),
    started(
      startPostgres({ stateDir: stateDir('postgres'), url: postgresUrl, databases: [mongoDatabase], fsync: false }),
    ).then(() => started(startMongo({ stateDir: stateDir('mongo'), port: ports.mongo, postgresUrl }))),
  ]);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }

  return {
    environment: {
      TASKFLOW_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      TASKFLOW_REGISTRY_URL: registryUrl(ports.registry),
      TASKFLOW_POSTGRES_URL: postgresUrl,
      TASKFLOW_MONGO_URL: `mongodb://127.0.0.1:${ports.mongo}/taskflow`,
      TASKFLOW_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    },
    stop,
  };
}

function basePort(): number {
  const text = process.env[basePortVariable] ?? '30000';
  const base = Number(text);
  if (!Number.isInteger(base) || base < 1024 || base > 65_000) {
    throw new Error(`${basePortVariable} must be a port number from 1024 to 65000, not ${JSON.stringify(text)}`);
  }
  return base;
}
