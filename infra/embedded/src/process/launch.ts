import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, type ProcessIdentity } from './procfs.ts';
import type { Command, Program } from './program.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that was started, and leads a process group of its own. */
export interface Launched extends ProcessIdentity {
  readonly exited: Promise<Exit>;
  /** Set once it has ended. */
  exit: Exit | undefined;
}

/** Told of a new process at once, before anything else can happen: so that none is ever forgotten. */
export type OnSpawn = (identity: ProcessIdentity) => void;

/** A program that could not be started, or did not come to answer. The message says what happened and what its log says. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Time between two questions whether a program is ready. */
const readyPollMs = 50;

/**
 * Starts a program in a process group of its own, so that a terminal's Ctrl-C reaches its starter alone, and its whole
 * group can be ended at once.
 */
export async function launch(program: Program, onSpawn?: OnSpawn): Promise<Launched> {
  try {
    return await spawnLogged(await program.prepare(), program.logFile, onSpawn);
  } catch (error) {
    throw new StartError(`${program.name} could not be started: ${(error as Error).message}`);
  }
}

/** A log that is larger when its program starts is put aside, once: as `<file>.1`. */
const rotateAtBytes = 50 * 1024 * 1024;

/** Starts a command as the leader of a new process group, its output appended to a file. */
export async function spawnLogged(command: Command, logFile: string, onSpawn?: OnSpawn): Promise<Launched> {
  mkdirSync(path.dirname(logFile), { recursive: true });
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > rotateAtBytes) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a');
  try {
    return await spawnInOwnGroup(command, ['ignore', log, log], onSpawn);
  } finally {
    closeSync(log);
  }
}

/** Starts a command as the leader of a new process group. */
export async function spawnInOwnGroup(
  { file, args, env, cwd, user }: Command,
  stdio: ['ignore' | 'inherit', number | 'inherit', number | 'inherit'],
  onSpawn?: OnSpawn,
): Promise<Launched> {
  const child = spawn(file, args, { detached: true, stdio, ...user, ...(env && { env }), ...(cwd && { cwd }) });
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const spawned = new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  // No pid means an error event to come.
  const pid = child.pid ?? -1;
  const launched: Launched = { pid, startTime: identify(pid)?.startTime ?? 0, exited, exit: undefined };
  void exited.then((exit) => {
    launched.exit = exit;
  });
  if (child.pid !== undefined) onSpawn?.(launched);
  await spawned;
  return launched;
}

/** Resolves when the program answers and is initialised; otherwise ends it and throws {@link StartError}. */
export async function untilReady(
  program: Program,
  launched: Launched,
  timeoutMs = program.readyTimeoutMs,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await program.ready().catch(() => false))) {
    if (launched.exit !== undefined) throw await endedWhileStarting(program, launched.exit);
    if (Date.now() > deadline) {
      await end(launched, 'SIGKILL', 0);
      const seconds = Math.round(timeoutMs / 1000);
      throw new StartError(
        `${program.name} gave no answer on port ${program.port} within ${seconds} s${await logTail(program.logFile)}`,
      );
    }
    await sleep(readyPollMs);
  }
  // Another process on the same port may have answered in its stead.
  if (launched.exit !== undefined) throw await endedWhileStarting(program, launched.exit);
  try {
    await program.initialise?.();
  } catch (error) {
    await end(launched, 'SIGKILL', 0);
    throw new StartError(`${program.name} answers, but could not be set up: ${(error as Error).message}`);
  }
}

/** Ends a program and what is left of its group: asks by the signal, and enforces it after the time-out. */
export async function end(launched: Launched, signal: NodeJS.Signals, timeoutMs: number): Promise<Exit> {
  if (launched.exit === undefined) {
    sendSignal(launched.pid, signal);
    const enforce = setTimeout(() => signalGroup(launched.pid, 'SIGKILL'), timeoutMs);
    await launched.exited;
    clearTimeout(enforce);
  }
  signalGroup(launched.pid, 'SIGKILL');
  return launched.exited;
}

/** Sends a signal to a process group; false where there is no such group. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  return sendSignal(-leader, signal);
}

function sendSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function endedWhileStarting(program: Program, { code, signal }: Exit): Promise<StartError> {
  const explanation = code === null ? undefined : program.explainExit?.(code);
  if (explanation !== undefined) return new StartError(explanation);
  const how = signal === null ? `exit code ${code}` : signal;
  return new StartError(`${program.name} ended while it started (${how})${await logTail(program.logFile)}`);
}

/** The last lines of a log, to be put behind a message. */
export async function logTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-5);
  return `; the end of ${logFile}:\n${lines.map((line) => `  ${line.slice(0, 300)}`).join('\n')}`;
}
