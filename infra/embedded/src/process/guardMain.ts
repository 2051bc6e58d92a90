/** The program of the guard: see `guard.ts`. Reads messages until the pipe is closed, then cleans up. */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuardMessage } from './guard.ts';
import { signalGroup } from './launch.ts';
import { isAlive, type ProcessIdentity } from './procfs.ts';

/** How long a group may take to end by a signal other than SIGKILL. */
const graceMs = 3_000;

const watched = new Map<number, { identity: ProcessIdentity; signal: NodeJS.Signals }>();
const folders = new Set<string>();

// A terminal's hang-up or a Ctrl-C is no reason to leave: only the end of the pipe is.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as GuardMessage;
  if ('watch' in message) watched.set(message.watch.pid, { identity: message.watch, signal: message.signal });
  else if ('unwatch' in message) watched.delete(message.unwatch.pid);
  else if ('removeLater' in message) folders.add(message.removeLater);
  else folders.delete(message.removed);
}

const left = [...watched.values()].filter(({ identity }) => isAlive(identity));
for (const { identity, signal } of left) signalGroup(identity.pid, signal);
const deadline = Date.now() + graceMs;
while (left.some(({ identity }) => isAlive(identity)) && Date.now() < deadline) await sleep(20);
for (const { identity } of left) signalGroup(identity.pid, 'SIGKILL');
while (left.some(({ identity }) => isAlive(identity))) await sleep(20);
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
