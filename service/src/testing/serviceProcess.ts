import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ReadyAnswer {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly state: string; readonly reason?: string } | undefined>>;
}

/** A service as `make start` runs it, but from source. */
export interface ServiceProcess {
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the answer of `/readyz` once its status is `status`, and it is as `wanted` where that is given. */
  ready(status: number, wanted?: (answer: ReadyAnswer) => boolean): Promise<ReadyAnswer>;
  metrics(): Promise<string>;
  /** SIGTERM; resolves with its code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts a program whose status port is among the environment given. */
export function startServiceProcess(
  program: URL,
  environment: Readonly<Record<string, string>> & { readonly TASKFLOW_STATUS_PORT: string },
): ServiceProcess {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=taskflow-source', '--disable-warning=TimeoutNegativeWarning', fileURLToPath(program)],
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
        if (child.exitCode !== null) throw new Error(`The service ended: ${JSON.stringify(lines.at(-1))}`);
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
