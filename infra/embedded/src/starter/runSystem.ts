import { mkdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { end, type Launched, logTail, StartError, spawnLogged } from '../process/launch.ts';
import { takenPorts } from '../process/ports.ts';
import type { ProcessIdentity } from '../process/procfs.ts';
import type { Program } from '../process/program.ts';
import { startInOrder, stopInOrder } from './order.ts';
import { type JobPart, type Part, type ProgramPart, portsInUse } from './parts.ts';
import { beginRunRecord } from './runRecord.ts';
import { portVariables, type SystemSettings } from './settings.ts';
import { type Supervised, supervise } from './supervise.ts';

/** What happens while the system runs, for whoever shows it. */
export interface SystemListener {
  /** A part is ready (a job: done), so many seconds after it was begun. */
  ready(part: Part, seconds: number): void;
  /** A program ended unasked, and is started again after the delay. */
  ended(program: Program, reason: string, delayMs: number): void;
  /** A process was started, which must not be forgotten. */
  spawned?(identity: ProcessIdentity, program: Program | undefined): void;
}

/** The system from its first process to its last. */
export interface System {
  /** Resolves when all parts are ready. Rejects where one is not, or `stop` is called before; what runs then is ended by `stop`. */
  readonly started: Promise<void>;
  /** The running processes. */
  processes(): { name: string; pid: number }[];
  /** Ends everything, services before the servers they use; what is not gone by the deadline is killed. */
  stop(): Promise<void>;
}

/** An orderly end of everything may take so long, all in all. */
const stopDeadlineMs = 13_000;

/** Refuses to start where a port is taken; throws {@link StartError} naming it and what moves it, by default its variable. */
export async function checkPorts(settings: SystemSettings, movedBy?: string): Promise<void> {
  const wanted = portsInUse(settings);
  const [taken] = await takenPorts(wanted.map(({ port }) => port));
  const setting = wanted.find(({ port }) => port === taken)?.setting;
  if (setting === undefined) return;
  const variable = movedBy ?? portVariables[setting];
  throw new StartError(`port ${taken} is taken: end what listens there, or set ${variable} to another`);
}

/** Starts all parts in their order, and keeps the programs among them running. */
export function runSystem(settings: SystemSettings, parts: readonly Part[], listener: SystemListener): System {
  const supervised = new Map<string, Supervised>();
  const jobs = new Map<string, Launched>();
  let stopped: Promise<void> | undefined;

  const startProgram = async (part: ProgramPart, record: ReturnType<typeof beginRunRecord>): Promise<void> => {
    let begun = performance.now();
    const { name, port, stopSignal, stopTimeoutMs } = part.program;
    const program = supervise(part.program, {
      spawned(_, { pid, startTime }) {
        record.add({ name, port, pid, startTime, stopSignal, stopTimeoutMs });
        listener.spawned?.({ pid, startTime }, part.program);
      },
      ready: () => listener.ready(part, (performance.now() - begun) / 1000),
      ended(program, reason, delayMs) {
        begun = performance.now() + delayMs;
        listener.ended(program, reason, delayMs);
      },
    });
    supervised.set(part.name, program);
    await program.start();
  };

  const runJob = async ({ name, job, logFile }: JobPart): Promise<void> => {
    const launched = await spawnLogged(job, logFile, (identity) => listener.spawned?.(identity, undefined));
    jobs.set(name, launched);
    const { code, signal } = await launched.exited;
    jobs.delete(name);
    if (code !== 0) throw new StartError(`${name} failed (${signal ?? `exit code ${code}`})${await logTail(logFile)}`);
  };

  const start = async (): Promise<void> => {
    await mkdir(settings.stateDir, { recursive: true });
    const record = beginRunRecord(settings);
    await startInOrder(parts, async (part) => {
      if (stopped !== undefined) throw new StartError('stopped while it started');
      if ('program' in part) return startProgram(part, record);
      const begun = performance.now();
      await runJob(part);
      listener.ready(part, (performance.now() - begun) / 1000);
    });
  };

  const stopAll = async (): Promise<void> => {
    const killAll = setTimeout(() => {
      for (const program of supervised.values()) void program.stop('at once');
    }, stopDeadlineMs);
    await Promise.all([...jobs.values()].map((job) => end(job, 'SIGKILL', 0)));
    await stopInOrder(parts, async ({ name }) => supervised.get(name)?.stop());
    clearTimeout(killAll);
  };

  return {
    started: start(),
    processes: () => [...supervised].flatMap(([name, { pid }]) => (pid === undefined ? [] : [{ name, pid }])),
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
