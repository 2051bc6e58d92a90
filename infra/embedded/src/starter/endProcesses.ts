import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from '../process/launch.ts';
import { isAlive } from '../process/procfs.ts';
import type { RecordedProcess } from './runRecord.ts';

/**
 * Ends processes that are not this process's children (their starter is dead): asks those started last first, so that
 * services end before the servers they use, and enforces what takes too long.
 */
export async function endProcesses(processes: readonly RecordedProcess[]): Promise<void> {
  for (const recorded of processes.toReversed()) {
    const { pid, stopSignal, stopTimeoutMs } = recorded;
    signalGroup(pid, stopSignal);
    const deadline = Date.now() + stopTimeoutMs;
    while (isAlive(recorded) && Date.now() < deadline) await sleep(20);
    if (isAlive(recorded)) signalGroup(pid, 'SIGKILL');
    while (isAlive(recorded)) await sleep(20);
  }
}
