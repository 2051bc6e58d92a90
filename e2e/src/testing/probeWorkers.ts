import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSystem } from '@taskflow/embedded/system';
import { type ProbeProgram, typescriptProbe } from './probePrograms.ts';

/** A call of a handler, as the handler itself wrote it down. */
export interface HandlerStart {
  readonly taskId: string;
  readonly attempt: number;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ProbeWorker {
  readonly name: string;
  readonly pid: number;
  /** Its end: an exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  signal(signal: NodeJS.Signals): void;
}

/**
 * Workers of a type of their own beside a running system, real ones but for their handlers: these do what payloads say
 * (`sleepMs`, `gate`, `poison`, `failTimes`), and write down each of their starts.
 */
export class ProbeWorkers {
  readonly type = `probe_${randomBytes(6).toString('hex')}`;
  private readonly system: RunningSystem;
  private readonly environment: Readonly<Record<string, string>>;
  private readonly running = new Map<ChildProcess, Promise<unknown>>();
  private readonly folder: string;
  private readonly program: Awaited<ReturnType<ProbeProgram['prepare']>>;
  private stopped = false;

  private constructor(
    system: RunningSystem,
    folder: string,
    program: Awaited<ReturnType<ProbeProgram['prepare']>>,
    environment: Readonly<Record<string, string>>,
  ) {
    this.system = system;
    this.folder = folder;
    this.program = program;
    this.environment = environment;
  }

  static async create(
    system: RunningSystem,
    environment: Readonly<Record<string, string>> = {},
    probe: ProbeProgram = typescriptProbe,
  ): Promise<ProbeWorkers> {
    const folder = await mkdtemp(path.join(tmpdir(), 'taskflow-probe-'));
    return new ProbeWorkers(system, folder, await probe.prepare(), environment);
  }

  /** A file that handlers wait for until it is opened. */
  get gate(): string {
    return path.join(this.folder, 'gate');
  }

  openGate(): Promise<void> {
    return writeFile(this.gate, '');
  }

  /** Resolves when the worker is ready: it has its queues, and its type is in the catalogue. */
  async start(name: string, more: Readonly<Record<string, string>> = {}): Promise<ProbeWorker> {
    const { brokers, registryUrl } = this.system.addresses;
    const child = spawn(this.program.file, this.program.args, {
      env: {
        ...process.env,
        TASKFLOW_KAFKA_BROKERS: brokers,
        TASKFLOW_REGISTRY_URL: registryUrl,
        TASKFLOW_TEST_TYPE: this.type,
        TASKFLOW_TEST_STARTS: this.startsFile,
        TASKFLOW_WORKER_NAME: name,
        TASKFLOW_STATUS_PORT: '0',
        ...this.environment,
        ...more,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('exit', (code, signal) => {
        this.running.delete(child);
        resolve(code ?? signal ?? 0);
      });
    });
    this.running.set(child, ended);
    const lines: string[] = [];
    const statusPort = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        const { statusPort: port } = JSON.parse(line) as { statusPort?: number };
        if (port !== undefined) resolve(port);
      });
      void ended.then((how) => reject(new Error(`${name} ended (${how}) before it was ready:\n${lines.join('\n')}`)));
    });
    // Until it has been given its queues. One that dies meanwhile has been ready as well.
    const isReady = () => fetch(`http://127.0.0.1:${statusPort}/readyz`).then(({ ok }) => ok);
    while (child.exitCode === null && child.signalCode === null && !(await isReady().catch(() => false)))
      await delay(20);
    return { name, pid: child.pid!, ended, signal: (signal) => void child.kill(signal) };
  }

  /** Starts a worker again whenever it ends, until all are stopped, as a supervisor does. Gives the process ids it has had. */
  async supervise(name: string): Promise<{ readonly pids: readonly number[] }> {
    const pids: number[] = [];
    const startOne = async () => {
      const { pid, ended } = await this.start(name);
      pids.push(pid);
      void ended.then(() => again());
    };
    const again = (): void => {
      // One that ends before it is ready is no reason to stop.
      if (!this.stopped) void startOne().catch(again);
    };
    await startOne();
    return { pids };
  }

  /** All calls of handlers so far, in the order in which they came. */
  async starts(): Promise<HandlerStart[]> {
    if (!existsSync(this.startsFile)) return [];
    const lines = (await readFile(this.startsFile, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [taskId = '', attempt, pid, at] = line.split(' ');
      return { taskId, attempt: Number(attempt), pid: Number(pid), at: Number(at) };
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    while (this.running.size > 0) {
      for (const child of this.running.keys()) child.kill('SIGKILL');
      await Promise.all(this.running.values());
    }
    await rm(this.folder, { recursive: true, force: true });
    await this.program.remove();
  }

  private get startsFile(): string {
    return path.join(this.folder, 'starts');
  }
}

export interface StartsReport {
  readonly tasks: number;
  readonly starts: number;
  /** Starts of an attempt that had been started before. */
  readonly again: number;
  /** Those whose starter before was not among the workers in trouble. */
  readonly unexplained: readonly HandlerStart[];
}

/** Which starts there were beyond the first of each attempt, and whether a worker in trouble explains them. */
export function reportStarts(starts: readonly HandlerStart[], troubled: ReadonlySet<number>): StartsReport {
  const last = new Map<string, HandlerStart>();
  const unexplained: HandlerStart[] = [];
  let again = 0;
  for (const start of starts) {
    const key = `${start.taskId}.${start.attempt}`;
    const before = last.get(key);
    last.set(key, start);
    if (!before) continue;
    again++;
    if (!troubled.has(before.pid)) unexplained.push(start);
  }
  return { tasks: new Set(starts.map(({ taskId }) => taskId)).size, starts: starts.length, again, unexplained };
}
