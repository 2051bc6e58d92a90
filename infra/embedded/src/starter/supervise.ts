import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, end, type Launched, launch, untilReady } from '../process/launch.ts';
import type { ProcessIdentity } from '../process/procfs.ts';
import type { Program } from '../process/program.ts';

/** How soon a program that ended is started again. */
export interface RestartPolicy {
  /** Before the first restart; each further one waits twice as long. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A program that was ready for so long has recovered: its next delay is the first again. */
  readonly healthyMs: number;
}

export const defaultRestartPolicy: RestartPolicy = { firstDelayMs: 500, maxDelayMs: 10_000, healthyMs: 10_000 };

/** What a supervisor tells. */
export interface SupervisionListener {
  spawned(program: Program, identity: ProcessIdentity): void;
  /** Also after a restart. */
  ready(program: Program): void;
  /** It ended unasked (or could not be started again: `reason`), and is started again after the delay. */
  ended(program: Program, reason: string, delayMs: number): void;
}

export interface Supervised {
  readonly program: Program;
  /** Of the running process. */
  readonly pid: number | undefined;
  /** Starts it for the first time; rejects where that fails, and then does not try again. Resolves when it is ready. */
  start(): Promise<void>;
  /** Ends it for good: in order, or at once. */
  stop(how?: 'in order' | 'at once'): Promise<void>;
}

/**
 * Keeps a program running: whenever it ends unasked it is started again. Once it has been started, only its end counts;
 * one that runs without being ready waits for something, and a restart would not help.
 */
export function supervise(
  program: Program,
  listener: SupervisionListener,
  policy: RestartPolicy = defaultRestartPolicy,
): Supervised {
  const stopping = new AbortController();
  let current: Launched | undefined;
  let readySince: number | undefined;
  let starting: Promise<void> | undefined;

  const startOnce = (timeoutMs?: number): Promise<void> => {
    starting = launchUntilReady(timeoutMs);
    return starting;
  };

  const launchUntilReady = async (timeoutMs?: number): Promise<void> => {
    readySince = undefined;
    current = await launch(program, (identity) => listener.spawned(program, identity));
    // It may have been asked to stop while it prepared.
    if (stopping.signal.aborted) await end(current, 'SIGKILL', 0);
    await untilReady(program, current, timeoutMs);
    readySince = performance.now();
    listener.ready(program);
  };

  const startAgain = async (reason: string): Promise<void> => {
    let delayMs = policy.firstDelayMs;
    for (let lastReason = reason; !stopping.signal.aborted; ) {
      listener.ended(program, lastReason, delayMs);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        await startOnce(Number.POSITIVE_INFINITY);
        lastReason = describeExit(await current!.exited);
      } catch (error) {
        lastReason = (error as Error).message;
      }
      const healthy = readySince !== undefined && performance.now() - readySince >= policy.healthyMs;
      delayMs = healthy ? policy.firstDelayMs : Math.min(delayMs * 2, policy.maxDelayMs);
    }
  };

  return {
    program,
    get pid() {
      return current?.exit === undefined ? current?.pid : undefined;
    },
    async start() {
      await startOnce();
      void current!.exited.then((exit) => startAgain(describeExit(exit)));
    },
    async stop(how = 'in order') {
      stopping.abort();
      if (current !== undefined) {
        if (how === 'in order') await end(current, program.stopSignal, program.stopTimeoutMs);
        else await end(current, program.crashSignal ?? 'SIGKILL', 1_000);
      }
      await starting?.catch(() => {});
    },
  };
}

function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}
