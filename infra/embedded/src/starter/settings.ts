/** What may be set of the system that runs on one machine, by `TASKFLOW_…` variables. */
import path from 'node:path';

export interface SystemSettings {
  /** Absolute. */
  readonly stateDir: string;
  /** Where the logs go, `<name>.log` each. */
  readonly logDir: string;
  readonly ports: SystemPorts;
  /** User, password and database as clients give them. */
  readonly postgresUrl: string;
  /** The MongoDB database of the project. */
  readonly mongoDatabase: string;
  readonly workers: number;
}

export interface SystemPorts {
  readonly api: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly registry: number;
  readonly postgres: number;
  readonly mongo: number;
  readonly redis: number;
  /** The first of the status ports: projector, then the workers. */
  readonly status: number;
}

/** The variable that moves each port; the text of an error about the port names it. */
export const portVariables: Readonly<Record<keyof SystemPorts, string>> = {
  api: 'TASKFLOW_API_PORT',
  kafka: 'TASKFLOW_KAFKA_BROKERS',
  kafkaController: 'TASKFLOW_KAFKA_CONTROLLER_PORT',
  registry: 'TASKFLOW_REGISTRY_URL',
  postgres: 'TASKFLOW_POSTGRES_URL',
  mongo: 'TASKFLOW_MONGO_URL',
  redis: 'TASKFLOW_REDIS_URL',
  status: 'TASKFLOW_STATUS_BASE_PORT',
};

/** A variable with a value that cannot be used. The message is one line that begins with the variable's name. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the settings; relative paths are meant from `base`. Throws {@link SettingsError}. */
export function readSettings(environment: Environment, base: string): SystemSettings {
  const read = (variable: string, otherwise: string): string => environment[variable] || otherwise;
  const address = (variable: string, otherwise: string): URL => loopbackUrl(variable, read(variable, otherwise));

  const kafka = loopbackUrl('TASKFLOW_KAFKA_BROKERS', `kafka://${read('TASKFLOW_KAFKA_BROKERS', '127.0.0.1:29092')}`);
  const registry = address('TASKFLOW_REGISTRY_URL', 'http://127.0.0.1:28081/apis/ccompat/v7');
  const postgres = address('TASKFLOW_POSTGRES_URL', 'postgres://taskflow:taskflow@127.0.0.1:25432/taskflow');
  const mongo = address('TASKFLOW_MONGO_URL', 'mongodb://127.0.0.1:27027/taskflow');
  const redis = address('TASKFLOW_REDIS_URL', 'redis://127.0.0.1:26379');
  if (postgres.username === '' || postgres.password === '' || postgres.pathname.length < 2) {
    throw new SettingsError(
      'TASKFLOW_POSTGRES_URL must name user, password and database: postgres://user:password@…/database',
    );
  }
  const port = (variable: string, otherwise: string): number => integer(variable, read(variable, otherwise), 1, 65_535);
  const stateDir = path.resolve(base, read('TASKFLOW_STATE_DIR', '.taskflow'));
  return {
    stateDir,
    logDir: path.join(stateDir, 'logs'),
    ports: {
      api: port('TASKFLOW_API_PORT', '8080'),
      kafka: Number(kafka.port),
      kafkaController: port('TASKFLOW_KAFKA_CONTROLLER_PORT', String(Number(kafka.port) + 1)),
      registry: Number(registry.port),
      postgres: Number(postgres.port),
      mongo: Number(mongo.port),
      redis: Number(redis.port),
      status: port('TASKFLOW_STATUS_BASE_PORT', '9100'),
    },
    postgresUrl: postgres.href,
    mongoDatabase: mongo.pathname.slice(1) || 'taskflow',
    workers: integer('TASKFLOW_WORKERS', read('TASKFLOW_WORKERS', '2'), 0, 64),
  };
}

export interface SettingsAtOptions {
  readonly basePort: number;
  readonly stateDir: string;
  /** `<stateDir>/logs` unless given. */
  readonly logDir?: string;
  readonly workers: number;
}

/** Settings for a system beside others, all its ports counted from one base. */
export function settingsAt({ basePort, stateDir, logDir, workers }: SettingsAtOptions): SystemSettings {
  const postgres = basePort + 432;
  return {
    stateDir: path.resolve(stateDir),
    logDir: path.resolve(logDir ?? path.join(stateDir, 'logs')),
    ports: {
      api: basePort + 80,
      kafka: basePort + 92,
      kafkaController: basePort + 93,
      registry: basePort + 81,
      postgres,
      mongo: basePort + 17,
      redis: basePort + 379,
      status: basePort + 100,
    },
    postgresUrl: `postgres://taskflow:taskflow@127.0.0.1:${postgres}/taskflow`,
    mongoDatabase: 'taskflow',
    workers,
  };
}

/** The embedded servers listen on the loopback address only, so a client's address must be there too. */
function loopbackUrl(variable: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.port === '' || !['127.0.0.1', 'localhost'].includes(url.hostname)) {
    throw new SettingsError(
      `${variable} must name 127.0.0.1 and a port where the embedded server can listen, not ${text}`,
    );
  }
  return url;
}

function integer(variable: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new SettingsError(`${variable} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  }
  return value;
}
