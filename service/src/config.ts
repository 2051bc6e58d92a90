import type { ConfigOf, Settings } from './settings.ts';

/** A variable whose text is not what its setting takes. The message is one line that begins with the variable's name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a table of settings from the environment; an empty variable counts as unset. Throws `ConfigError` at the first wrong value. */
export function readConfig<S extends Settings>(settings: S, environment: Environment = process.env): ConfigOf<S> {
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const given = environment[setting.variable] || undefined;
    const parsed = setting.schema.safeParse(given ?? setting.default);
    if (!parsed.success) {
      const shown = given === undefined || setting.secret ? '' : ` (it is ${JSON.stringify(given)})`;
      throw new ConfigError(`${setting.variable} ${parsed.error.issues[0]?.message ?? 'is not valid'}${shown}`);
    }
    config[key] = parsed.data;
  }
  return config as ConfigOf<S>;
}

/** `readConfig` for a service's main file: a wrong value ends the process with one line on stderr and code 1. */
export function loadConfig<S extends Settings>(settings: S, environment: Environment = process.env): ConfigOf<S> {
  try {
    return readConfig(settings, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
