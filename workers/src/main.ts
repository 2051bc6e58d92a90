/** A worker process: takes tasks from Kafka, runs them, and records what became of them. `node workers/dist/main.js` */
import { randomBytes } from 'node:crypto';
import { loadConfig } from '@taskflow/service/config';
import { startStatusServer } from '@taskflow/service/httpStatus';
import { runService } from '@taskflow/service/lifecycle';
import { createLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { createReadiness } from '@taskflow/service/readiness';
import { workerSettings } from './config.ts';
import { connectLog } from './connectLog.ts';
import { discoverTasks } from './discoverTasks.ts';
import { registerTypes } from './registerTypes.ts';
import { startWorker } from './runtime/worker.ts';
import { createSafeFetch } from './safeFetch.ts';
import { selectTypes, slotsOf } from './selectTypes.ts';

const config = loadConfig(workerSettings);
const logger = createLogger({ service: config.workerName, level: config.logLevel });

runService({
  name: config.workerName,
  logger,
  stopTimeoutMs: config.stopTimeoutMs,
  async start({ onStop }) {
    const workerId = `${config.workerName}.${process.pid}.${randomBytes(3).toString('hex').slice(0, 5)}`;
    const metrics = createMetrics();
    const readiness = createReadiness();
    const started = readiness.check('start');
    const status = await startStatusServer({ port: config.statusPort, host: config.statusHost, readiness, metrics });
    onStop('status server', () => status.stop());

    const types = selectTypes(await discoverTasks(), config);
    const log = await connectLog(config, { logger, onStop });
    const definitions = types.map(({ type }) => type);
    await log.ensureTopics(definitions);
    // Queues before the catalogue: what a submitter sees there has workers already.
    const queues = await Promise.all(definitions.map((type) => log.openQueues(type)));
    const worker = startWorker({
      ...config,
      workerId,
      types: types.map((definition, index) => ({
        definition,
        slots: slotsOf(definition, config.slots),
        ...queues[index]!,
      })),
      appender: log.appender,
      codec: log.codec,
      learnSchema: log.learnSchema,
      logPartitions: await log.partitionsOfLogs(),
      fetch: createSafeFetch({ allow: config.fetchAllow }),
      metrics,
      readiness,
      logger,
    });
    onStop('tasks', () => worker.stop());
    await registerTypes(types, { workerId, appender: log.appender, codec: log.codec });
    started.ok();
    logger.info('Types are registered', { types: definitions, workerId, statusPort: status.port });
  },
});
