import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface DemoSystem {
  readonly url: string;
  readonly key: string;
  /** Ends all its processes and removes its data. */
  stop(): Promise<void>;
}

const embedded = fileURLToPath(new URL('../../infra/embedded/dist/', import.meta.url));

/**
 * Starts the whole system, as `make start` does, on data and ports of its own. Loopback is opened to its tasks for the two
 * ports of the demo only; a system that runs beside it is not touched, and none of its workers can take these tasks.
 */
export async function startDemoSystem(
  sitePort: number,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<DemoSystem> {
  const key = randomBytes(18).toString('base64url');
  const [api, kafka, controller, registry, postgres, mongo, redis, s3, status] = (await freePorts()) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const environment = {
    ...process.env,
    TASKFLOW_STATE_DIR: await mkdtemp(path.join(tmpdir(), 'taskflow-demo-')),
    TASKFLOW_DEV_KEY: key,
    TASKFLOW_FETCH_ALLOW: `127.0.0.1:${sitePort},127.0.0.1:${api}`,
    TASKFLOW_API_PORT: String(api),
    TASKFLOW_KAFKA_BROKERS: `127.0.0.1:${kafka}`,
    TASKFLOW_KAFKA_CONTROLLER_PORT: String(controller),
    TASKFLOW_REGISTRY_URL: `http://127.0.0.1:${registry}/apis/ccompat/v7`,
    TASKFLOW_POSTGRES_URL: `postgres://taskflow:taskflow@127.0.0.1:${postgres}/taskflow`,
    TASKFLOW_MONGO_URL: `mongodb://127.0.0.1:${mongo}/taskflow`,
    TASKFLOW_REDIS_URL: `redis://127.0.0.1:${redis}`,
    TASKFLOW_S3_URL: `http://127.0.0.1:${s3}`,
    TASKFLOW_STATUS_BASE_PORT: String(status),
    TASKFLOW_WORKERS: '2',
  };
  // A group of its own: Ctrl-C reaches the demo alone, which then stops the system in order.
  const starter = spawn(process.execPath, [path.join(embedded, 'start.js')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = once(starter, 'exit');
  const url = `http://127.0.0.1:${api}`;
  const stop = async () => {
    if (starter.exitCode === null && starter.signalCode === null) starter.kill('SIGTERM');
    await exited;
    const clean = spawn(process.execPath, [path.join(embedded, 'clean.js')], { env: environment, stdio: 'ignore' });
    await once(clean, 'exit');
  };
  try {
    await ready(starter, url, onProgress, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, key, stop };
}

/** Waits for the api's first 200, which means that the rest is ready. */
async function ready(
  starter: ChildProcess,
  url: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const said: string[] = [];
  for (const stream of [starter.stdout!, starter.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      const [, part] = /^ {2}([a-z][a-z0-9-]*) +\S+ +[\d.]+ s$/.exec(line) ?? [];
      if (part !== undefined) onProgress(part);
    });
  }
  for (;;) {
    if (starter.exitCode !== null) throw new Error(`The system could not be started:\n${said.join('\n')}`);
    signal.throwIfAborted();
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One free port for each server, and the first of five in a row for the status pages. */
async function freePorts(): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: 8 }, () => listen(0)));
  const ports = servers.map((server) => (server!.address() as AddressInfo).port);
  for (const server of servers) server!.close();
  for (let first = 20_000 + (process.pid % 10_000); ; first += 10) {
    const row = await Promise.all([0, 1, 2, 3, 4].map((offset) => listen(first + offset)));
    for (const server of row) server?.close();
    if (row.every((server) => server !== undefined)) return [...ports, first];
  }
}

function listen(port: number) {
  return new Promise<ReturnType<typeof createServer> | undefined>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
