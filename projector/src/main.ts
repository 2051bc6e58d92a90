import { createBlobStore } from '@taskflow/service/blobStore';
import { loadConfig } from '@taskflow/service/config';
import { runService } from '@taskflow/service/lifecycle';
import { logFoundations } from '@taskflow/service/logFoundations';
import { createLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { closePostgresPool, createPostgresPool } from '@taskflow/service/postgres';
import { createReadiness } from '@taskflow/service/readiness';
import { connectRedis } from '@taskflow/service/redis';
import { publishTaskChanges, type TaskChange } from '@taskflow/service/taskChanges';
import { connectMongo } from './documents/connectMongo.ts';
import { parkPoison } from './poison.ts';
import type { Projection } from './projection.ts';
import { projectionMetrics } from './projectionMetrics.ts';
import { resultsView, taskLogsView, tasksView } from './projections.ts';
import { settings } from './settings.ts';
import { type ProjectionOptions, startProjection } from './startProjection.ts';
import { sweepDocuments } from './sweep.ts';
import { startSweeping } from './sweeping.ts';
import { VIEW_SESSION } from './viewSession.ts';

const config = loadConfig(settings);
const logger = createLogger({ service: 'projector', level: config.logLevel });
const metrics = createMetrics();
const readiness = createReadiness();

runService({
  name: 'projector',
  logger,
  stopTimeoutMs: config.stopTimeoutMs,
  async start(lifecycle) {
    const { onStop, fail, stopping } = lifecycle;
    const started = readiness.check('started');
    const service = { name: 'projector', config, logger, metrics, readiness };
    const { cluster, registry, appender, types } = await logFoundations(lifecycle, service);

    const redis = connectRedis({ url: config.redisUrl, name: 'taskflow-projector', logger });
    onStop('redis', () => redis.stop());
    const mongo = connectMongo(config.mongoUrl);
    onStop('mongo', () => mongo.close());

    /** Runs a view with a pool of its own: what one waits for must not hold up another. */
    const run = async <E, F, O>(view: Projection<E, F, O>, options: ProjectionOptions): Promise<void> => {
      const pool = createPostgresPool({
        url: config.postgresUrl,
        applicationName: `taskflow-projector ${view.name}`,
        logger,
        maxConnections: 2,
        session: VIEW_SESSION,
        pipeline: true,
      });
      onStop(`connections of ${view.name}`, () => closePostgresPool(pool));
      const running = await startProjection(view, { ...ports, pool }, options);
      onStop(view.name, () => running.stop());
    };
    const ports = {
      cluster,
      groupPrefix: config.groupPrefix,
      registry,
      types,
      logger,
      readiness,
      metrics: projectionMetrics(metrics),
      park: parkPoison({ appender, codec: registry.codec, logger, metrics }),
      onFatal: fail,
      stopping,
    };
    const onChanges = (changes: readonly TaskChange[]) => void publishTaskChanges(redis.client, changes);
    await run(tasksView({ onChanges }), { whenBlocked: 'failing', parks: true });
    await run(resultsView(mongo.db()), { whenBlocked: 'degraded', parks: false }); // `tasks` reads the same topics
    await run(taskLogsView(mongo.db()), { whenBlocked: 'degraded', parks: true });

    const reading = createPostgresPool({
      url: config.postgresUrl,
      applicationName: 'taskflow-projector sweep',
      logger,
    });
    onStop('connections of the sweep', () => closePostgresPool(reading));
    const blobs = createBlobStore(config, { attempts: 5 });
    onStop('blob store', () => blobs.close());
    const sweeping = startSweeping({
      stores: {
        mongo: async () => ({ ...(await sweepDocuments({ db: mongo.db(), pool: reading, now: Date.now() })) }),
        blobs: async () => ({ ...(await blobs.sweep(Date.now())) }),
      },
      intervalMs: config.sweepIntervalMs,
      logger,
      metrics,
    });
    onStop('sweep', () => sweeping.stop());
    started.ok();
  },
});
