import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The projector as `make start` runs it, but from source. */
export interface ProjectorProcess {
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the answer of `/readyz` once its status is `status`. */
  ready(status: number): Promise<Record<string, unknown>>;
  metrics(): Promise<string>;
  /** SIGTERM; resolves with its code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export function startProjector(environment: Readonly<Record<string, string>>): ProjectorProcess {
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
    async ready(status) {
      for (;;) {
        if (child.exitCode !== null) throw new Error(`The projector ended: ${JSON.stringify(lines.at(-1))}`);
        const response = await fetch(`${base}/readyz`).catch(() => undefined);
        const body = (await response?.json()) as Record<string, unknown>;
        if (response?.status === status) return body;
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
