import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface WorkerProcess {
  readonly pid: number;
  /** Address of `/readyz` and the like. */
  readonly status: string;
  /** Lines that it has logged. */
  readonly lines: readonly string[];
  /** Sends a signal and waits for the end; gives exit code or signal. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Resolves when `/readyz` answers 200. */
  ready(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Starts a real worker process, of a type of the test's own unless another program is named, and waits until it has its queues. */
export async function startWorkerProcess(
  type: string,
  environment: Readonly<Record<string, string>> = {},
  program = fileURLToPath(new URL('workerProgram.ts', import.meta.url)),
): Promise<WorkerProcess> {
  const child = spawn(
    process.execPath,
    ['--conditions=taskflow-source', '--disable-warning=TimeoutNegativeWarning', program],
    {
      env: {
        ...process.env,
        TASKFLOW_TEST_TYPE: type,
        TASKFLOW_WORKER_NAME: 'tested',
        TASKFLOW_STATUS_PORT: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  running.add(child);
  const exited = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const { statusPort } = JSON.parse(line) as { statusPort?: number };
      if (statusPort !== undefined) resolve(statusPort);
    });
    void exited.then((how) => reject(new Error(`The worker ended (${how}) before it was ready:\n${lines.join('\n')}`)));
  });
  const status = `http://127.0.0.1:${port}`;
  const worker: WorkerProcess = {
    pid: child.pid!,
    status,
    lines,
    end(signal) {
      child.kill(signal);
      return exited;
    },
    async ready() {
      let body = '';
      for (let tries = 0; tries < 600; tries++) {
        const response = await fetch(`${status}/readyz`);
        body = await response.text();
        if (response.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`The worker is not ready: ${body}`);
    },
  };
  await worker.ready();
  return worker;
}

/** Kills what a test has left. */
export async function killWorkerProcesses(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
}
