import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type Appender, createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { connectRegistry } from '@taskflow/log/registry';
import { ensureTopics, systemTopics, typeTopics } from '@taskflow/log/topics';
import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import { type BlobStore, createBlobStore } from '@taskflow/service/blobStore';
import { readConfig } from '@taskflow/service/config';
import { followControl } from '@taskflow/service/controlTopic';
import { silentLogger as logger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { migrate } from '@taskflow/service/migrations';
import { closePostgresPool, createPostgresPool, type Pool } from '@taskflow/service/postgres';
import { indexedSession } from '@taskflow/service/postgresSessions';
import { createReadiness } from '@taskflow/service/readiness';
import { connectRedis } from '@taskflow/service/redis';
import { blobSettings } from '@taskflow/service/settings';
import { type Db, MongoClient } from 'mongodb';
import { createApp } from '../app.ts';
import { assemble } from '../assemble.ts';
import { TypeControl } from '../commands/typeCommands.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { openApiDocument } from '../http/openapi.ts';
import { loadEndpoints } from '../http/routeFiles.ts';
import { connectPreviewWorkers } from '../preview/previewWorkers.ts';
import { type ApiServer, startServer } from '../server.ts';
import { type Call, checkedClient } from './checkedClient.ts';
import { testTypes } from './testTypes.ts';

/** Three accounts: two users who must not see each other, and an administrator. */
export const accounts = {
  ann: { key: 'key-of-ann', principal: { userId: '11111111-1111-4111-8111-111111111111', role: 'user' } },
  bob: { key: 'key-of-bob', principal: { userId: '22222222-2222-4222-8222-222222222222', role: 'user' } },
  admin: { key: 'key-of-admin', principal: { userId: '33333333-3333-4333-8333-333333333333', role: 'admin' } },
} as const;

const registry = await connectRegistry({ url: variable('TASKFLOW_REGISTRY_URL') });
export const { codec } = registry;

/** Most bytes of an upload here. */
export const MAX_BLOB_BYTES = 8_000_000;

export interface TestApi {
  /** Calls as ann, unless the call says otherwise. */
  readonly call: Call;
  readonly url: string;
  readonly cluster: Cluster;
  readonly appender: Appender;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly mongo: Db;
  readonly blobs: BlobStore;
  readonly redis: ReturnType<typeof connectRedis>;
  /** Names of the types, unlike those of any other test. */
  readonly types: { readonly any: string; readonly page: string };
  readonly registered: Map<string, TaskTypeRegistered>;
  readonly server: ApiServer;
  /** Ends the api as SIGTERM does. */
  stopApi(): Promise<void>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly brokers?: string[];
  readonly postgresUrl?: string;
  readonly mongoUrl?: string;
  readonly redisUrl?: string;
  readonly s3Url?: string;
  /** That of the stack unless given. */
  readonly s3Bucket?: string;
  /** Addresses; no previews without. */
  readonly previewWorkers?: readonly string[];
  readonly appendTimeoutMs?: number;
  readonly idempotencyKeepMs?: number;
  readonly expectTypes?: (types: { any: string; page: string }) => string[];
  /** An api beside another one: on its database and its types. */
  readonly beside?: TestApi;
}

const root = path.resolve(import.meta.dirname, '../../..');

/**
 * The api in this process, on the stack that the environment names: a database, a Mongo database and task types of its own,
 * so that tests do not meet. No projector runs; `viewWriter.ts` writes the views, so a test decides how far they are.
 */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  // What was opened before a failure is closed: it would keep the test process from ending.
  await using opened = new AsyncDisposableStack();
  const name = `api_${randomBytes(5).toString('hex')}`;
  const types = options.beside?.types ?? { any: `${name}_any`, page: `${name}_page` };
  const database = await freshDatabase(name, options.postgresUrl);
  const brokers = options.brokers ?? variable('TASKFLOW_KAFKA_BROKERS').split(',');
  const cluster = await connectCluster({ brokers, clientId: name });
  opened.defer(() => cluster.close());
  const appendTimeoutMs = options.appendTimeoutMs ?? 10_000;
  const appender = createAppender(cluster, { deliveryTimeoutMs: appendTimeoutMs });
  opened.defer(() => appender.close());
  const pool =
    options.beside?.pool ??
    createPostgresPool({ url: database, applicationName: name, logger, connectTimeoutMs: 1_000 });
  if (options.beside === undefined) opened.defer(() => closePostgresPool(pool));
  const bulkPool = createPostgresPool({
    url: options.beside?.databaseUrl ?? database,
    applicationName: `${name} bulks`,
    logger,
    connectTimeoutMs: 1_000,
    session: indexedSession,
  });
  opened.defer(() => closePostgresPool(bulkPool));
  const mongoClient = new MongoClient(options.mongoUrl ?? variable('TASKFLOW_MONGO_URL'), {
    serverSelectionTimeoutMS: 1_000,
  });
  opened.defer(() => mongoClient.close());
  const redis = connectRedis({ url: options.redisUrl ?? variable('TASKFLOW_REDIS_URL'), logger, name });
  opened.defer(() => redis.stop());
  const registered = options.beside?.registered ?? new Map(testTypes(types).map((type) => [type.type, type]));
  if (options.beside === undefined) {
    const ofTypes = Object.values(types).flatMap((type) => typeTopics(type));
    await ensureTopics(cluster, [...systemTopics(), ...ofTypes]);
  }
  const blobs = createBlobStore(
    readConfig(blobSettings, {
      ...process.env,
      TASKFLOW_S3_URL: options.s3Url ?? variable('TASKFLOW_S3_URL'),
      TASKFLOW_S3_BUCKET: options.s3Bucket ?? variable('TASKFLOW_S3_BUCKET'),
    }),
  );
  opened.defer(() => blobs.close());
  const previews = connectPreviewWorkers(options.previewWorkers ?? []);
  opened.defer(() => previews.close());
  const stopping = new AbortController();
  opened.defer(() => stopping.abort());
  const control = new TypeControl();
  await followControl({
    cluster,
    registry,
    logger,
    onEntry: (entry) => control.apply(entry),
    signal: stopping.signal,
    onFailure(error) {
      throw error;
    },
  });
  const mongo = mongoClient.db(name);
  const { ports, stop } = assemble(
    {
      cluster,
      appender,
      codec,
      registrations: { get: (type) => registered.get(type), all: () => registered.values() },
      control,
      pool,
      bulkPool,
      mongo,
      blobs,
      previews,
      redis: redis.client,
      logger,
      metrics: createMetrics({ defaults: false }),
      readiness: createReadiness(),
    },
    {
      keys: Object.values(accounts),
      limits: { maxTaskBytes: 262_144, maxBatchBytes: 8_388_608, maxJsonDepth: 64, maxBlobBytes: MAX_BLOB_BYTES },
      expectTypes: options.expectTypes?.(types) ?? [],
      idempotencyKeepMs: options.idempotencyKeepMs ?? 86_400_000,
      blobKeepDays: 7,
      appendTimeoutMs,
      bulkBatchSize: 50,
      accessLog: false,
      stopping: stopping.signal,
    },
  );
  opened.defer(stop);
  const endpoints: Endpoint[] = await loadEndpoints();
  const about = { version: '0.0.0', publicUrl: 'http://127.0.0.1' };
  const app = createApp(endpoints, about, ports);
  const server = await startServer(app, { port: 0, host: '127.0.0.1', drainMs: 5_000 });
  const url = `http://127.0.0.1:${server.port}`;
  let stopped: Promise<void> | undefined;
  const stopApi = () => {
    stopping.abort();
    stopped ??= server.stop();
    return stopped;
  };
  opened.defer(stopApi);
  const kept = opened.move();
  return {
    call: checkedClient(url, accounts.ann.key, openApiDocument(endpoints, { version: '0.0.0', serverUrl: url })),
    url,
    cluster,
    appender,
    pool,
    databaseUrl: options.beside?.databaseUrl ?? database,
    mongo,
    blobs,
    redis,
    types,
    registered,
    server,
    stopApi,
    close: () => kept.disposeAsync(),
  };
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the integration tests by \`make test\``);
  return value;
}

/** A database with all tables. Gives its URL, by another way to the server where one is given. */
async function freshDatabase(name: string, way?: string): Promise<string> {
  const url = new URL(variable('TASKFLOW_POSTGRES_URL'));
  const admin = createPostgresPool({ url: url.href, applicationName: name, logger, maxConnections: 1 });
  await admin.query(`create database ${name}`);
  await closePostgresPool(admin);
  url.pathname = `/${name}`;
  const owners = ['service', 'api', 'projector'].map((owner) => ({
    owner,
    directory: path.join(root, owner, 'migrations'),
  }));
  await migrate({ url: url.href, owners });
  if (way !== undefined) url.host = new URL(way).host;
  return url.href;
}
