/** `make clean`: removes the state folder, with what PostgreSQL keeps outside of it. Refuses while the system runs. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from './process/launch.ts';
import { outsidePostgresFolder } from './process/postgresHome.ts';
import { isAlive } from './process/procfs.ts';
import { runCommand, settingsOfCommand, shown } from './starter/command.ts';
import { livingProcesses, readRunRecord } from './starter/runRecord.ts';

/** What the system, and tests, may have put into a state folder. */
const ownEntries = new Set([
  ...['kafka', 'postgres', 'registry', 'redis', 'mongo', 's3', 'logs', 'test'],
  ...['dev-key', 'run.json', 'run.json.new'],
]);

await runCommand(async () => {
  const { stateDir } = settingsOfCommand();
  const record = readRunRecord(stateDir);
  if (record !== undefined && (isAlive(record.starter) || livingProcesses(record).length > 0)) {
    throw new StartError(`TaskFlow Hub runs on ${shown(stateDir)}: \`make stop\` first`);
  }
  // A mistyped TASKFLOW_STATE_DIR must not cost someone their home.
  const stranger = (await readdir(stateDir).catch((): string[] => [])).find((name) => !ownEntries.has(name));
  if (stranger !== undefined) {
    throw new StartError(
      `${stateDir} is not a state folder of TaskFlow Hub alone (it has ${stranger}): remove it yourself`,
    );
  }
  await rm(stateDir, { recursive: true, force: true });
  await rm(outsidePostgresFolder(path.join(stateDir, 'postgres')), { recursive: true, force: true });
  return 0;
});
