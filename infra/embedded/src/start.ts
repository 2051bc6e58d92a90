/**
 * `make start`: starts the whole system on this machine, and stays in the foreground until Ctrl-C or SIGTERM stops it.
 * Exits 1 with one line where it cannot start, and leaves nothing running then.
 */
import { runCommand, settingsOfCommand } from './starter/command.ts';
import { systemParts } from './starter/parts.ts';
import { startCommand } from './starter/startCommand.ts';

await runCommand(() => startCommand(settingsOfCommand(), systemParts));
