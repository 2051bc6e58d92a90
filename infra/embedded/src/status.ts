/**
 * `make status`: one line for each process: name, pid, state, port, memory.
 *
 *     worker-1 4711 ready 9101 84MB
 */
import { isAlive, memoryOf } from './process/procfs.ts';
import { runCommand, settingsOfCommand, shown } from './starter/command.ts';
import { systemParts } from './starter/parts.ts';
import { readRunRecord } from './starter/runRecord.ts';

await runCommand(async () => {
  const { stateDir } = settingsOfCommand();
  const record = readRunRecord(stateDir);
  if (record === undefined || !record.processes.some(isAlive)) {
    console.log(`Nothing runs on ${shown(stateDir)}`);
    return 0;
  }
  // What was started may have had other settings than this shell.
  const programs = systemParts(record.settings, {}).flatMap((part) => ('program' in part ? [part.program] : []));
  const lines = await Promise.all(
    programs.map(async ({ name, port, ready }) => {
      const recorded = record.processes.find((process) => process.name === name);
      const alive = recorded !== undefined && isAlive(recorded);
      const isReady = alive && (await ready().catch(() => false));
      const state = isReady ? 'ready' : alive ? 'not-ready' : recorded === undefined ? 'waiting' : 'ended';
      const memory = alive ? memoryOf(recorded.pid) : undefined;
      const megabytes = memory === undefined ? '-' : `${Math.round(memory / 1_048_576)}MB`;
      return `${name} ${alive ? recorded.pid : '-'} ${state} ${port} ${megabytes}`;
    }),
  );
  for (const line of lines) console.log(line);
  if (!isAlive(record.starter))
    console.log(`the starter (pid ${record.starter.pid}) was killed: \`make start\` takes over`);
  return 0;
});
