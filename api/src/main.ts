import { readFileSync } from 'node:fs';
import { createAppender } from '@taskflow/log/appender';
import { connectCluster } from '@taskflow/log/cluster';
import { connectRegistry } from '@taskflow/log/registry';
import { queueBatchRecords } from '@taskflow/schemas/topics';
import { createBlobStore } from '@taskflow/service/blobStore';
import { loadConfig } from '@taskflow/service/config';
import { type ControlEntry, followControl } from '@taskflow/service/controlTopic';
import { kafkaAccess } from '@taskflow/service/kafkaAccess';
import { runService } from '@taskflow/service/lifecycle';
import { createLogger } from '@taskflow/service/logger';
import { createMetrics, LATENCY_BUCKETS_SECONDS } from '@taskflow/service/metrics';
import { closePostgresPool, createPostgresPool } from '@taskflow/service/postgres';
import { indexedSession } from '@taskflow/service/postgresSessions';
import { createReadiness } from '@taskflow/service/readiness';
import { connectRedis } from '@taskflow/service/redis';
import { followTaskTypes } from '@taskflow/service/taskTypes';
import { MongoClient } from 'mongodb';
import { createApp } from './app.ts';
import { assemble } from './assemble.ts';
import { TypeControl } from './commands/typeCommands.ts';
import { loadEndpoints } from './http/routeFiles.ts';
import { connectPreviewWorkers } from './preview/previewWorkers.ts';
import { startServer } from './server.ts';
import { settings } from './settings.ts';

/** What it may add to an answer under load. */
const LONGEST_APPEND_INTERVAL_MS = 5;

const config = loadConfig(settings);
const logger = createLogger({ service: 'api', level: config.logLevel });
const metrics = createMetrics();

/** The account of the development key: its id is fixed, so that what it made is found again. */
const developer = { userId: '00000000-0000-4000-8000-000000000001', role: 'admin' } as const;

runService({
  name: 'api',
  logger,
  stopTimeoutMs: config.stopTimeoutMs,
  async start({ onStop, stopping, fail }) {
    const cluster = await connectCluster({ ...kafkaAccess(config), clientId: 'taskflow-api', logger });
    onStop('Kafka', () => cluster.close());
    const registry = await connectRegistry({ url: config.registryUrl, logger });
    const { codec } = registry;
    const registrations = await followTaskTypes({ cluster, codec, logger, signal: stopping, onFailure: fail });
    const control = new TypeControl();
    const onEntry = (entry: ControlEntry) => control.apply(entry);
    await followControl({ cluster, registry, logger, onEntry, signal: stopping, onFailure: fail });
    const pool = createPostgresPool({
      url: config.postgresUrl,
      applicationName: 'api',
      logger,
      statementTimeoutMs: 10_000,
      connectTimeoutMs: 2_000,
    });
    onStop('PostgreSQL', () => closePostgresPool(pool));
    const bulkPool = createPostgresPool({
      url: config.postgresUrl,
      applicationName: 'api bulks',
      logger,
      maxConnections: 3,
      session: indexedSession,
    });
    onStop('PostgreSQL for bulks', () => closePostgresPool(bulkPool));
    const mongo = new MongoClient(config.mongoUrl, { appName: 'taskflow-api', serverSelectionTimeoutMS: 2_000 });
    onStop('MongoDB', () => mongo.close());
    const blobs = createBlobStore(config);
    onStop('blob store', () => blobs.close());
    const previews = connectPreviewWorkers(config.previewWorkers);
    onStop('preview workers', () => previews.close());
    const redis = connectRedis({ url: config.redisUrl, logger, name: 'api' });
    onStop('Redis', () => redis.stop());
    const appendSeconds = metrics.histogram(
      'append_request_seconds',
      'Time of a request that appends to the log',
      LATENCY_BUCKETS_SECONDS,
    );
    const appender = createAppender(cluster, {
      deliveryTimeoutMs: config.appendTimeoutMs,
      maxBatchRecords: queueBatchRecords,
      maxRequestIntervalMs: LONGEST_APPEND_INTERVAL_MS,
      onRequest: ({ durationMs }) => appendSeconds.observe(durationMs / 1_000),
    });
    onStop('appender', () => appender.close());

    const foundations = {
      cluster,
      appender,
      codec,
      registrations,
      control,
      pool,
      bulkPool,
      mongo: mongo.db(),
      blobs,
      previews,
      redis: redis.client,
      logger,
      metrics,
      readiness: createReadiness(),
    };
    const { ports, stop } = assemble(foundations, {
      keys: [{ key: config.devKey, principal: developer }],
      limits: config,
      expectTypes: config.expectTypes,
      idempotencyKeepMs: config.idempotencyKeepMs,
      blobKeepDays: config.blobKeepDays,
      appendTimeoutMs: config.appendTimeoutMs,
      accessLog: config.accessLog,
      stopping,
    });
    onStop('background', stop);
    const publicUrl = config.publicUrl ?? `http://${config.apiHost}:${config.apiPort}`;
    const app = createApp(await loadEndpoints(), { version: versionOfPackage(), publicUrl }, ports);
    // The other half of the time is for what was taken in to reach the log.
    const drainMs = config.stopTimeoutMs / 2;
    const server = await startServer(app, { port: config.apiPort, host: config.apiHost, drainMs });
    onStop('HTTP server', () => server.stop());
    logger.info('The api listens', { address: `http://${config.apiHost}:${server.port}` });
  },
});

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
