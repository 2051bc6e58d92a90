/**
 * Runs a command against a stack of its own, and ends the stack with it:
 *
 *     node --conditions=taskflow-source infra/embedded/src/withTestStack.ts -- mocha …
 *
 * The command finds the stack by TASKFLOW_KAFKA_BROKERS, TASKFLOW_REGISTRY_URL, TASKFLOW_POSTGRES_URL,
 * TASKFLOW_MONGO_URL, TASKFLOW_REDIS_URL and TASKFLOW_S3_URL; its exit code is passed on. Nothing is left behind, also when this process is
 * killed. TASKFLOW_TEST_BASE_PORT moves the stack's ports.
 */
import { constants } from 'node:os';
import { guardGroup } from './process/guard.ts';
import { type Launched, signalGroup, spawnInOwnGroup } from './process/launch.ts';
import { startTestStack, type TestStack } from './testStack.ts';

/** A signal stops the command first, or the start of the stack. */
const interrupted = Promise.withResolvers<NodeJS.Signals>();
let command: Launched | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (command !== undefined) signalGroup(command.pid, signal);
    interrupted.resolve(signal);
  });
}

async function run(stack: TestStack, file: string, args: readonly string[]): Promise<number> {
  command = await spawnInOwnGroup({ file, args, env: { ...process.env, ...stack.environment } }, [
    'inherit',
    'inherit',
    'inherit',
  ]);
  guardGroup(command);
  const { code, signal } = await command.exited;
  // What the command may have left of its group would run on against a stack that is gone.
  signalGroup(command.pid, 'SIGKILL');
  return code ?? exitCodeOf(signal!);
}

/** As a shell reports a process that ended by a signal. */
function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

async function main(): Promise<number> {
  const [file, ...args] = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
  if (file === undefined) {
    console.error('usage: withTestStack -- <command> [argument]…');
    return 2;
  }
  const starting = startTestStack();
  const first = await Promise.race([starting, interrupted.promise]);
  const stack = await starting;
  try {
    return typeof first === 'string' ? exitCodeOf(first) : await run(stack, file, args);
  } finally {
    await stack.stop();
  }
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`withTestStack: ${error.message}`);
  return 1;
});
