import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface ReadyAnswer {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly state: string; readonly reason?: string } | undefined>>;
}

/** The orchestrator as `make start` runs it, but from source. */
export interface OrchestratorProcess {
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the answer of `/readyz` once its status is `status`, and it is as `wanted` where that is given. */
  ready(status: number, wanted?: (answer: ReadyAnswer) => boolean): Promise<ReadyAnswer>;
  metrics(): Promise<string>;
  /** SIGTERM; resolves with its code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export function startOrchestrator(environment: Readonly<Record<string, string>>): OrchestratorProcess {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--conditions=taskflow-source',
      '--disable-warning=TimeoutNegativeWarning',
      path.join(import.meta.dirname, '..', 'main.ts'),
    ],
    { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  const base = `http://127.0.0.1:${environment.TASKFLOW_STATUS_PORT}`;
  return {
    lines,
    async ready(status, wanted = () => true) {
      for (;;) {
        if (child.exitCode !== null) throw new Error(`The orchestrator ended: ${JSON.stringify(lines.at(-1))}`);
        const response = await fetch(`${base}/readyz`).catch(() => undefined);
        const answer = (await response?.json()) as ReadyAnswer;
        if (response?.status === status && wanted(answer)) return answer;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    metrics: async () => (await fetch(`${base}/metrics`)).text(),
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
