/** `make stop`: asks the running starter to stop everything, and waits for it; ends what a killed starter has left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './process/launch.ts';
import { isAlive } from './process/procfs.ts';
import { runCommand, settingsOfCommand, shown } from './starter/command.ts';
import { endProcesses } from './starter/endProcesses.ts';
import { livingProcesses, readRunRecord } from './starter/runRecord.ts';

/** The starter itself ends everything within 15 s. */
const patienceMs = 20_000;

await runCommand(async () => {
  const { stateDir } = settingsOfCommand();
  const record = readRunRecord(stateDir);
  const starterLives = record !== undefined && isAlive(record.starter);
  if (record === undefined || (!starterLives && livingProcesses(record).length === 0)) {
    console.log(`Nothing runs on ${shown(stateDir)}`);
    return 0;
  }
  if (starterLives) {
    process.kill(record.starter.pid, 'SIGTERM');
    for (const deadline = Date.now() + patienceMs; isAlive(record.starter); await sleep(50)) {
      if (Date.now() > deadline)
        throw new StartError(`the starter (pid ${record.starter.pid}) has not stopped; see its terminal`);
    }
  }
  // A killed starter has left them; one that has just stopped has recorded those that it ended.
  await endProcesses(livingProcesses(readRunRecord(stateDir) ?? record));
  console.log('Stopped');
  return 0;
});
