/**
 * A starter like `start.ts`, but of two tiny programs: `tinyStarter <state folder> <port> <port>`. Its own process, so that
 * tests can kill it.
 */
import { runCommand } from '../starter/command.ts';
import { settingsAt } from '../starter/settings.ts';
import { startCommand } from '../starter/startCommand.ts';
import { tinyProgram } from './tinyProgram.ts';

const [folder = '', database, service] = process.argv.slice(2);
const { ports, ...settings } = settingsAt({ basePort: 20_000, stateDir: folder, workers: 0 });

await runCommand(() =>
  startCommand({ ...settings, ports: { ...ports, postgres: Number(database), api: Number(service) } }, () => [
    { name: 'database', after: [], program: tinyProgram({ name: 'database', port: Number(database), folder }) },
    { name: 'service', after: ['database'], program: tinyProgram({ name: 'service', port: Number(service), folder }) },
  ]),
);
