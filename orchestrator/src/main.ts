import { protocolDefaults } from '@taskflow/core/protocolValues';
import { loadConfig } from '@taskflow/service/config';
import { runService } from '@taskflow/service/lifecycle';
import { logFoundations } from '@taskflow/service/logFoundations';
import { createLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { closePostgresPool, createPostgresPool } from '@taskflow/service/postgres';
import { indexedSession } from '@taskflow/service/postgresSessions';
import { createReadiness } from '@taskflow/service/readiness';
import { orchestratorMetrics } from './metrics.ts';
import { foldSession } from './sessions.ts';
import { settings } from './settings.ts';
import { startSignals } from './startSignals.ts';
import { startTimers } from './startTimers.ts';

const config = loadConfig(settings);
const logger = createLogger({ service: 'orchestrator', level: config.logLevel });
const metrics = createMetrics();
const readiness = createReadiness();

runService({
  name: 'orchestrator',
  logger,
  stopTimeoutMs: config.stopTimeoutMs,
  async start(lifecycle) {
    const { onStop, fail } = lifecycle;
    const started = readiness.check('started');
    const service = { name: 'orchestrator', config, logger, metrics, readiness };
    const { cluster, registry, appender, types } = await logFoundations(lifecycle, service);

    const connect = (purpose: string, session: Readonly<Record<string, string>>) => {
      const applicationName = `taskflow-orchestrator ${purpose}`;
      const pool = createPostgresPool({
        url: config.postgresUrl,
        applicationName,
        logger,
        maxConnections: 4,
        session,
        pipeline: true,
      });
      onStop(`connections for ${purpose}`, () => closePostgresPool(pool));
      return pool;
    };
    const shared = {
      cluster,
      registry,
      appender,
      pool: connect('firing', indexedSession),
      logger,
      metrics: orchestratorMetrics(metrics),
      onFatal: fail,
    };
    const timers = startTimers({
      ...shared,
      types,
      groupPrefix: config.groupPrefix,
      foldPool: connect('folding', foldSession),
      readiness,
      values: { ...protocolDefaults, ...config },
    });
    onStop('timers', () => timers.stop());
    const signals = await startSignals({ ...shared, lanes: () => timers.lanes().map(({ lane }) => lane) });
    onStop('signals', () => signals.stop());
    started.ok();
  },
});
