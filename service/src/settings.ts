import { z } from 'zod';

/** One `TASKFLOW_…` variable: what `docs/configuration.md` says of it, and how its text becomes a value. */
export interface Setting<T> {
  readonly variable: `TASKFLOW_${string}`;
  /** One or two sentences for the person who sets it, units included. */
  readonly description: string;
  /** The text that an unset (or empty) variable stands for; without it the variable is required, unless `schema` takes undefined. */
  readonly default?: string;
  /** From the variable's text to its value. */
  readonly schema: z.ZodType<T, string | undefined>;
  /** Never print its value. */
  readonly secret?: boolean;
}

/** Settings by the name that code reads them under. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The configuration that a table of settings gives. */
export type ConfigOf<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

// What a variable's text may be.

export const text = z.string({ error: 'is required' }).min(1);

export function integer(bounds: { min: number; max: number }): z.ZodType<number, string | undefined> {
  const outside = `must be a whole number from ${bounds.min} to ${bounds.max}`;
  return z
    .string({ error: 'is required' })
    .regex(/^-?\d{1,15}$/, outside)
    .transform(Number)
    .refine((value) => value >= bounds.min && value <= bounds.max, outside);
}

export const port = integer({ min: 0, max: 65_535 });

export const flag: z.ZodType<boolean, string | undefined> = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((value) => value === 'true');

export function oneOf<const V extends string>(...values: readonly [V, ...V[]]): z.ZodType<V, string | undefined> {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` }) as unknown as z.ZodType<
    V,
    string | undefined
  >;
}

/** A URL of one of these schemes (`http:`, …). Its trailing slash is dropped. */
export function url(...schemes: readonly string[]): z.ZodType<string, string | undefined> {
  return z
    .string({ error: 'is required' })
    .refine(
      (value) => URL.canParse(value) && schemes.includes(new URL(value).protocol),
      `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    )
    .transform((value) => value.replace(/\/+$/, ''));
}

/** Comma-separated words. */
export const list: z.ZodType<string[], string | undefined> = z.string({ error: 'is required' }).transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const brokers: z.ZodType<string[], string | undefined> = list.refine(
  (addresses) => addresses.length > 0 && addresses.every((address) => /^[^\s:]+:\d{1,5}$/.test(address)),
  'must be a comma-separated list of host:port',
);

/** Kafka and the schema registry. */
export const kafkaSettings = {
  brokers: {
    variable: 'TASKFLOW_KAFKA_BROKERS',
    description: 'Brokers to ask first, `host:port`, separated by commas.',
    default: '127.0.0.1:29092',
    schema: brokers,
  },
  kafkaTls: {
    variable: 'TASKFLOW_KAFKA_TLS',
    description:
      'Speak TLS with the brokers, by the certificates that Node.js trusts (`NODE_EXTRA_CA_CERTS` adds some).',
    default: 'false',
    schema: flag,
  },
  kafkaSaslMechanism: {
    variable: 'TASKFLOW_KAFKA_SASL_MECHANISM',
    description: 'How to log in at the brokers: `none`, `plain`, `scram-sha-256` or `scram-sha-512`.',
    default: 'none',
    schema: oneOf('none', 'plain', 'scram-sha-256', 'scram-sha-512'),
  },
  kafkaUsername: {
    variable: 'TASKFLOW_KAFKA_USERNAME',
    description: 'User name at the brokers, where a SASL mechanism is set.',
    schema: z.string().optional(),
  },
  kafkaPassword: {
    variable: 'TASKFLOW_KAFKA_PASSWORD',
    description: 'Password at the brokers, where a SASL mechanism is set.',
    schema: z.string().optional(),
    secret: true,
  },
  registryUrl: {
    variable: 'TASKFLOW_REGISTRY_URL',
    description: 'Schema registry (Confluent API), with its path.',
    default: 'http://127.0.0.1:28081/apis/ccompat/v7',
    schema: url('http:', 'https:'),
  },
} as const satisfies Settings;

export const postgresSettings = {
  postgresUrl: {
    variable: 'TASKFLOW_POSTGRES_URL',
    description: 'PostgreSQL database of the read models and of the consumers’ positions.',
    default: 'postgres://taskflow:taskflow@127.0.0.1:25432/taskflow',
    schema: url('postgres:', 'postgresql:'),
    secret: true,
  },
} as const satisfies Settings;

export const mongoSettings = {
  mongoUrl: {
    variable: 'TASKFLOW_MONGO_URL',
    description: 'MongoDB of the result and log views. The path names the database.',
    default: 'mongodb://127.0.0.1:27027/taskflow',
    schema: url('mongodb:', 'mongodb+srv:'),
    secret: true,
  },
} as const satisfies Settings;

export const redisSettings = {
  redisUrl: {
    variable: 'TASKFLOW_REDIS_URL',
    description: 'Redis, for signals between processes. Everything works without it, by polling.',
    default: 'redis://127.0.0.1:26379',
    schema: url('redis:', 'rediss:'),
    secret: true,
  },
} as const satisfies Settings;

/** The blob store, by the S3 API. */
export const blobSettings = {
  s3Url: {
    variable: 'TASKFLOW_S3_URL',
    description: 'Address of the S3 API of the blob store: uploads, results over 64 KiB, results that are files.',
    default: 'http://127.0.0.1:29000',
    schema: url('http:', 'https:'),
  },
  s3Region: {
    variable: 'TASKFLOW_S3_REGION',
    description: 'Region of the blob store.',
    default: 'us-east-1',
    schema: text,
  },
  s3Bucket: {
    variable: 'TASKFLOW_S3_BUCKET',
    description: 'Bucket of the blobs, for TaskFlow Hub alone. Made at setup where it is missing.',
    default: 'taskflow',
    schema: z
      .string({ error: 'is required' })
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be 3 to 63 lower-case letters, digits, - and .'),
  },
  s3AccessKey: {
    variable: 'TASKFLOW_S3_ACCESS_KEY',
    description: 'Access key of the blob store.',
    default: 'taskflow',
    schema: text,
  },
  s3SecretKey: {
    variable: 'TASKFLOW_S3_SECRET_KEY',
    description: 'Secret key of the blob store; the default is that of the embedded one.',
    default: 'taskflow-local',
    schema: text,
    secret: true,
  },
  s3PathStyle: {
    variable: 'TASKFLOW_S3_PATH_STYLE',
    description: 'Whether the bucket stands in the path of the address (`true`) or before its host name (`false`).',
    default: 'true',
    schema: flag,
  },
  maxBlobBytes: {
    variable: 'TASKFLOW_MAX_BLOB_BYTES',
    description: 'Most bytes of an upload (413 beyond) and of a result (`RESULT_TOO_LARGE`).',
    default: '1073741824',
    schema: integer({ min: 65_536, max: 50_000_000_000 }),
  },
} as const satisfies Settings;

export const logSettings = {
  logLevel: {
    variable: 'TASKFLOW_LOG_LEVEL',
    description: 'Least severe level to log: `error`, `warn`, `info` or `debug`.',
    default: 'info',
    schema: oneOf('error', 'warn', 'info', 'debug'),
  },
} as const satisfies Settings;

/** Where a service that is not the api serves `/healthz`, `/readyz` and `/metrics`. */
export const statusSettings = {
  statusPort: {
    variable: 'TASKFLOW_STATUS_PORT',
    description: 'Port of `/healthz`, `/readyz` and `/metrics`; 0 takes any free one.',
    default: '0',
    schema: port,
  },
  statusHost: {
    variable: 'TASKFLOW_STATUS_HOST',
    description: 'Address that the status port is bound to (`0.0.0.0` in a container).',
    default: '127.0.0.1',
    schema: text,
  },
} as const satisfies Settings;

export const stopSettings = {
  stopTimeoutMs: {
    variable: 'TASKFLOW_STOP_TIMEOUT_MS',
    description: 'Longest time in milliseconds that a graceful stop may take; after it the process ends with code 1.',
    default: '15000',
    schema: integer({ min: 100, max: 3_600_000 }),
  },
} as const satisfies Settings;

/** What every service of the project reads. */
export const baseSettings = {
  ...kafkaSettings,
  ...postgresSettings,
  ...mongoSettings,
  ...redisSettings,
  ...logSettings,
  ...stopSettings,
} as const satisfies Settings;
