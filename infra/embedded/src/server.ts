import { guardGroup, unguardGroup } from './process/guard.ts';
import { end, type Launched, launch, untilReady } from './process/launch.ts';
import type { Program } from './process/program.ts';

/** A server of the stack, in the hands of whoever started it. It ends with the process that started it. */
export interface Server {
  readonly name: string;
  /** Of the running server; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Starts it again on its data, after `stop` or `kill`; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it in order; resolves when it has ended. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL); resolves when it has ended. */
  kill(): Promise<void>;
  /** Sends a signal to the server's process: SIGSTOP makes it hang, SIGCONT go on. */
  signal(signal: NodeJS.Signals): void;
}

/** Starts a program and resolves when it answers. */
export async function startServer(program: Program): Promise<Server> {
  let running: Launched | undefined;

  const endBy = async (signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
    if (running === undefined) return;
    const ending = running;
    running = undefined;
    await end(ending, signal, timeoutMs);
    unguardGroup(ending);
  };

  const server: Server = {
    name: program.name,
    get pid() {
      return running?.exit === undefined ? running?.pid : undefined;
    },
    async start() {
      if (server.pid !== undefined) throw new Error(`${program.name} runs already (pid ${server.pid})`);
      const launched = await launch(program, (identity) => guardGroup(identity, program.crashSignal));
      try {
        await untilReady(program, launched);
      } catch (error) {
        unguardGroup(launched);
        throw error;
      }
      running = launched;
    },
    stop: () => endBy(program.stopSignal, program.stopTimeoutMs),
    kill: () => endBy('SIGKILL', 0),
    signal(signal) {
      if (server.pid === undefined) throw new Error(`${program.name} does not run`);
      process.kill(server.pid, signal);
    },
  };
  await server.start();
  return server;
}
