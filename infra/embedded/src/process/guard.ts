/**
 * Ends what this process has started when this process dies, however it dies.
 *
 * A process that is killed cannot clean up, and the servers it started lead process groups of their own. So a second
 * small process, the guard, holds the other end of a pipe: the kernel closes the pipe when this process ends, and the
 * guard then kills the groups and removes the folders it was told of.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import type { ProcessIdentity } from './procfs.ts';

/** One line on the pipe, as JSON. */
export type GuardMessage =
  | { readonly watch: ProcessIdentity; readonly signal: NodeJS.Signals }
  | { readonly unwatch: ProcessIdentity }
  | { readonly removeLater: string }
  | { readonly removed: string };

let guard: ChildProcess | undefined;

function send(message: GuardMessage): void {
  if (guard === undefined) {
    // Beside this file, compiled or not.
    const main = path.join(import.meta.dirname, `guardMain${path.extname(import.meta.filename)}`);
    guard = spawn(process.execPath, [main], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
    guard.unref();
    // The pipe must not keep this process alive either.
    (guard.stdin as unknown as { unref(): void }).unref();
    guard.stdin!.on('error', () => {
      guard = undefined;
    });
  }
  guard.stdin!.write(`${JSON.stringify(message)}\n`);
}

/** The process group is ended with this process, by the signal, and by SIGKILL if that does not suffice. */
export function guardGroup(watch: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): void {
  send({ watch, signal });
}

/** The group has ended. */
export function unguardGroup(unwatch: ProcessIdentity): void {
  send({ unwatch });
}

/** The folder is removed after this process, once the guarded groups have ended. */
export function guardFolder(removeLater: string): void {
  send({ removeLater });
}

/** The folder is gone, or is to stay. */
export function unguardFolder(removed: string): void {
  send({ removed });
}
