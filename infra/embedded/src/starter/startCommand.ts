import { chmod } from 'node:fs/promises';
import { StartError } from '../process/launch.ts';
import { shown } from './command.ts';
import { developmentKey } from './developmentKey.ts';
import { endProcesses } from './endProcesses.ts';
import { type Part, systemEnvironment } from './parts.ts';
import { livingProcesses, readRunRecord } from './runRecord.ts';
import { checkPorts, runSystem, type SystemListener } from './runSystem.ts';
import type { SystemSettings } from './settings.ts';
import { lockState } from './stateLock.ts';

const listener: SystemListener = {
  ready(part, seconds) {
    const where = 'program' in part ? `127.0.0.1:${part.program.port}` : 'done';
    console.log(`  ${part.name.padEnd(12)} ${where.padEnd(16)} ${seconds.toFixed(1).padStart(5)} s`);
  },
  ended({ name, logFile }, reason, delayMs) {
    console.log(`  ${name} ended (${reason}), and starts again in ${delayMs / 1000} s; its log: ${shown(logFile)}`);
  },
};

/** Claims the state folder, and ends what a starter left that was killed. */
async function takeOver({ stateDir }: SystemSettings): Promise<void> {
  const claimed = await lockState(stateDir);
  const record = readRunRecord(stateDir);
  if (!claimed) {
    const starter = record === undefined ? '' : ` (pid ${record.starter.pid})`;
    throw new StartError(`TaskFlow Hub runs already on ${shown(stateDir)}${starter}; \`make stop\` ends it`);
  }
  const left = record === undefined ? [] : livingProcesses(record);
  if (left.length === 0) return;
  console.log(`Ending what a killed start has left: ${left.map(({ name, pid }) => `${name} (${pid})`).join(', ')}`);
  await endProcesses(left);
}

function welcome(url: string, key: string): string {
  const headers = `-H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -H 'Prefer: wait=10'`;
  return [
    '',
    `TaskFlow Hub is ready: ${url} (documentation: ${url}/docs)`,
    `API key: ${key}`,
    'Ctrl-C stops it. Submit a first task from another terminal:',
    '',
    `curl -s ${url}/tasks ${headers} -d '{"type":"noop","payload":{"echo":"hello"}}'`,
    '',
  ].join('\n');
}

/**
 * Starts the system on its state folder and stays until a signal asks it to stop; then ends everything. Throws
 * {@link StartError} where it cannot start, with nothing left running.
 */
export async function startCommand(
  settings: SystemSettings,
  partsOf: (settings: SystemSettings, environment: NodeJS.ProcessEnv) => Part[],
): Promise<number> {
  await takeOver(settings);
  await checkPorts(settings);
  // PostgreSQL's user must pass through it when root starts the system.
  await chmod(settings.stateDir, 0o755);
  const key = await developmentKey(settings.stateDir, process.env.TASKFLOW_DEV_KEY);

  console.log(`Starting TaskFlow Hub (data and logs in ${shown(settings.stateDir)})`);
  const environment = { ...process.env, ...systemEnvironment(settings, key) };
  const asked = untilAskedToStop();
  const system = runSystem(settings, partsOf(settings, environment), listener);
  const failed = system.started.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const first = await Promise.race([failed, asked]);
  if (first === undefined) {
    console.log(welcome(`http://127.0.0.1:${settings.ports.api}`, key));
    await asked;
  }
  if (first === undefined || first === 'asked') console.log('Stopping');
  await system.stop();
  if (first !== undefined && first !== 'asked') throw first.error;
  console.log('Stopped');
  return 0;
}

function untilAskedToStop(): Promise<'asked'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('asked'));
  });
}
