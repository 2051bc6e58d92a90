/** What may be set of the system that runs on one machine, by `TASKFLOW_…` variables. */
import path from 'node:path';
import type { z } from 'zod';
import type { S3Account } from '../s3.ts';
import { integer, settings } from '../settings.ts';

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
  /** The account and the bucket of the S3 server. */
  readonly s3: S3Account;
  readonly workers: number;
  readonly goWorkers: number;
}

export interface SystemPorts {
  readonly api: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly registry: number;
  readonly postgres: number;
  readonly mongo: number;
  readonly redis: number;
  readonly s3: number;
  /** The first of the status ports: projector, then the workers, then the orchestrator. */
  readonly status: number;
  /** The first of the Go workers' gRPC ports. */
  readonly grpc: number;
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
  s3: 'TASKFLOW_S3_URL',
  status: 'TASKFLOW_STATUS_BASE_PORT',
  grpc: 'TASKFLOW_GRPC_BASE_PORT',
};

/** A variable with a value that cannot be used. The message is one line that begins with the variable's name. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the settings; relative paths are meant from `base`. Throws {@link SettingsError}. */
export function readSettings(environment: Environment, base: string): SystemSettings {
  const address = (variable: string, otherwise: string): URL =>
    loopbackUrl(variable, environment[variable] || otherwise);
  const own = readOwn(environment);

  const brokers = environment.TASKFLOW_KAFKA_BROKERS || '127.0.0.1:29092';
  const kafka = Number(loopbackUrl('TASKFLOW_KAFKA_BROKERS', `kafka://${brokers}`).port);
  const postgres = address('TASKFLOW_POSTGRES_URL', 'postgres://taskflow:taskflow@127.0.0.1:25432/taskflow');
  const mongo = address('TASKFLOW_MONGO_URL', 'mongodb://127.0.0.1:27027/taskflow');
  if (postgres.username === '' || postgres.password === '' || postgres.pathname.length < 2) {
    throw new SettingsError(
      'TASKFLOW_POSTGRES_URL must name user, password and database: postgres://user:password@…/database',
    );
  }
  const stateDir = path.resolve(base, own.stateDir);
  return {
    stateDir,
    logDir: path.join(stateDir, 'logs'),
    ports: {
      api: own.apiPort,
      kafka,
      kafkaController: own.kafkaControllerPort ?? kafka + 1,
      registry: Number(address('TASKFLOW_REGISTRY_URL', 'http://127.0.0.1:28081/apis/ccompat/v7').port),
      postgres: Number(postgres.port),
      mongo: Number(mongo.port),
      redis: Number(address('TASKFLOW_REDIS_URL', 'redis://127.0.0.1:26379').port),
      s3: Number(address('TASKFLOW_S3_URL', 'http://127.0.0.1:29000').port),
      status: own.statusBasePort,
      grpc: own.grpcBasePort,
    },
    postgresUrl: postgres.href,
    mongoDatabase: mongo.pathname.slice(1) || 'taskflow',
    s3: s3Account(environment),
    workers: own.workers,
    goWorkers: own.goWorkers,
  };
}

/** What the embedded S3 server is told is what its clients are told (service/src/settings.ts describes the variables). */
function s3Account(environment: Environment): S3Account {
  const bucket = environment.TASKFLOW_S3_BUCKET || 'taskflow';
  // It becomes the name of a folder.
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new SettingsError(`TASKFLOW_S3_BUCKET must be 3 to 63 lower-case letters, digits and -, not ${bucket}`);
  }
  return {
    bucket,
    region: environment.TASKFLOW_S3_REGION || 'us-east-1',
    accessKey: environment.TASKFLOW_S3_ACCESS_KEY || 'taskflow',
    secretKey: environment.TASKFLOW_S3_SECRET_KEY || 'taskflow-local',
  };
}

/** The starter's own variables, and the api's port, which is the api's to describe. */
const ownSettings = {
  ...settings,
  apiPort: { variable: 'TASKFLOW_API_PORT', default: '8080', schema: integer(1, 65_535) },
} as const;

type OwnSettings = { readonly [K in keyof typeof ownSettings]: z.output<(typeof ownSettings)[K]['schema']> };

function readOwn(environment: Environment): OwnSettings {
  const values = Object.entries(ownSettings).map(([name, { variable, schema, ...setting }]) => {
    const given = environment[variable] || undefined;
    const parsed = schema.safeParse(given ?? ('default' in setting ? setting.default : undefined));
    if (!parsed.success) throw new SettingsError(`${variable} ${parsed.error.issues[0]?.message} (it is ${given})`);
    return [name, parsed.data];
  });
  return Object.fromEntries(values);
}

export interface SettingsAtOptions {
  readonly basePort: number;
  readonly stateDir: string;
  /** `<stateDir>/logs` unless given. */
  readonly logDir?: string;
  readonly workers: number;
  /** None unless given. */
  readonly goWorkers?: number | undefined;
}

/** Settings for a system beside others, all its ports counted from one base. */
export function settingsAt(options: SettingsAtOptions): SystemSettings {
  const { basePort, stateDir, logDir, workers, goWorkers = 0 } = options;
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
      s3: basePort + 290,
      status: basePort + 100,
      grpc: basePort + 300,
    },
    postgresUrl: `postgres://taskflow:taskflow@127.0.0.1:${postgres}/taskflow`,
    mongoDatabase: 'taskflow',
    s3: s3Account({}),
    workers,
    goWorkers,
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
