/** `make clean`: removes the state folder, with what PostgreSQL keeps outside of it. Refuses while the system runs. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from './process/launch.ts';
import { outsidePostgresFolder } from './process/postgresHome.ts';
import { isAlive } from './process/procfs.ts';
import { runCommand, settingsOfCommand, shown } from './starter/command.ts';
import { livingProcesses, readRunRecord } from './starter/runRecord.ts';

await runCommand(async () => {
  const { stateDir } = settingsOfCommand();
  const record = readRunRecord(stateDir);
  if (record !== undefined && (isAlive(record.starter) || livingProcesses(record).length > 0)) {
    throw new StartError(`TaskFlow Hub runs on ${shown(stateDir)}: \`make stop\` first`);
  }
  // A mistyped TASKFLOW_STATE_DIR must not cost someone their home.
  const content = await readdir(stateDir).catch((): string[] => []);
  if (content.length > 0 && !content.includes('run.json')) {
    throw new StartError(`${stateDir} does not look like a state folder of TaskFlow Hub: remove it yourself`);
  }
  await rm(stateDir, { recursive: true, force: true });
  await rm(outsidePostgresFolder(path.join(stateDir, 'postgres')), { recursive: true, force: true });
  return 0;
});
