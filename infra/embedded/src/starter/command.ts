/** What the commands `start`, `stop`, `status` and `clean` share. */
import path from 'node:path';
import { StartError } from '../process/launch.ts';
import { readSettings, SettingsError, type SystemSettings } from './settings.ts';

/** The settings of this invocation; relative paths are meant from the root of the repository. */
export function settingsOfCommand(): SystemSettings {
  return readSettings(process.env, path.resolve(import.meta.dirname, '../../../..'));
}

/** Runs a command's main function; an error that a user can mend is shown as its message alone. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const expected = error instanceof SettingsError || error instanceof StartError;
    console.error(expected ? error.message : error);
    process.exitCode = 1;
  }
}

/** A path as a user would write it. */
export function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative || '.';
}
