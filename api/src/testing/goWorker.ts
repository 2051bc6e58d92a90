import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { until } from '@taskflow/embedded/testing/until';

/** A Go worker as a process of its own, on the stack that the environment names. */
export interface GoWorker {
  readonly grpcPort: number;
  /** How many calls of the service have ended so, by its metrics. */
  calls(method: string, code: string): Promise<number>;
  /** As SIGKILL ends it. */
  kill(): Promise<void>;
  /** As SIGTERM does. */
  stop(): Promise<void>;
}

const root = path.resolve(import.meta.dirname, '../../..');

/** Builds the program into a folder; quick where nothing has changed since Go did it last. Gives its path. */
export async function buildGoWorker(folder: string): Promise<string> {
  const program = path.join(folder, 'go-worker');
  const args = ['build', '-C', 'go-workers', '-trimpath', '-o', program, './cmd/go-worker'];
  await promisify(execFile)('go', args, { cwd: root, env: { CGO_ENABLED: '0', ...process.env } });
  return program;
}

/** Starts the program; resolves when it is ready. Ports are free ones unless the environment names them. */
export async function startGoWorker(program: string, environment: Record<string, string> = {}): Promise<GoWorker> {
  const env = { ...process.env, TASKFLOW_STOP_GRACE_MS: '1000', ...environment };
  const worker = spawn(program, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const { statusPort, grpcPort } = await started(worker);
  const statusUrl = `http://127.0.0.1:${statusPort}`;
  await until(async () => (await fetch(`${statusUrl}/readyz`)).ok);
  const end = async (signal: NodeJS.Signals) => {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    worker.kill(signal);
    await once(worker, 'exit');
  };
  return {
    grpcPort,
    async calls(method, code) {
      const name = `taskflow_worker_grpc_seconds_count{code="${code}",method="/taskflow.worker.v1.WorkerService/${method}"}`;
      const metrics = await (await fetch(`${statusUrl}/metrics`)).text();
      const line = metrics.split('\n').find((one) => one.startsWith(name));
      return Number(line?.slice(name.length) ?? 0);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** The line of its log that names the ports. */
async function started(worker: ChildProcess): Promise<{ statusPort: number; grpcPort: number }> {
  const seen: string[] = [];
  for await (const line of createInterface({ input: worker.stdout! })) {
    seen.push(line);
    const { statusPort, grpcPort } = JSON.parse(line) as { statusPort?: number; grpcPort?: number };
    if (statusPort === undefined || grpcPort === undefined) continue;
    worker.stdout?.resume();
    return { statusPort, grpcPort };
  }
  throw new Error(`The Go worker ended before it was ready:\n${seen.join('\n')}`);
}
