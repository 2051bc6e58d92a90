import { randomBytes } from 'node:crypto';
import { createBlobStore } from '@taskflow/service/blobStore';
import { startStatusServer } from '@taskflow/service/httpStatus';
import { runService } from '@taskflow/service/lifecycle';
import { createLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { createReadiness } from '@taskflow/service/readiness';
import type { ConfigOf } from '@taskflow/service/settings';
import { connectLog } from './connectLog.ts';
import type { AnyTaskDefinition } from './defineTask.ts';
import { protocolOf } from './protocolSettings.ts';
import { registerTypes } from './registerTypes.ts';
import { startWorker } from './runtime/worker.ts';
import { createSafeFetch } from './safeFetch.ts';
import { slotsOf } from './selectTypes.ts';
import type { settings } from './settings.ts';
import { blobTools } from './taskBlobs.ts';

/** Runs this process as a worker of the types that `load` gives, until it is asked to stop. */
export function runWorker(config: ConfigOf<typeof settings>, load: () => Promise<readonly AnyTaskDefinition[]>): void {
  const logger = createLogger({ service: config.workerName, level: config.logLevel });
  const workerId = `${config.workerName}.${process.pid}.${randomSuffix()}`;

  runService({
    name: config.workerName,
    logger,
    stopTimeoutMs: config.stopTimeoutMs,
    async start({ onStop, fail }) {
      const metrics = createMetrics();
      const readiness = createReadiness();
      const started = readiness.check('start');
      const status = await startStatusServer({ port: config.statusPort, host: config.statusHost, readiness, metrics });
      onStop('status server', () => status.stop());

      const blobStore = createBlobStore(config, { attempts: 5 });
      onStop('blob store', () => blobStore.close());
      const blobs = blobTools(blobStore, { keepDays: config.resultBlobKeepDays, maxBytes: config.maxBlobBytes });
      const types = await load();
      const names = types.map(({ type }) => type);
      const log = await connectLog(config, { logger, onStop });
      await log.ensureTopics(names);
      const control = await log.followControl(fail);
      const queues = await Promise.all(names.map((type) => log.openQueues(type)));
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
        control,
        logPartitions: await log.partitionsOfLogs(),
        tools: { fetch: createSafeFetch({ allow: config.fetchAllow }), blobs },
        protocol: protocolOf(config),
        onStuck: fail,
        metrics,
        readiness,
        logger,
      });
      onStop('tasks', () => worker.stop());
      // Last, so that what a submitter finds in the catalogue has queues and a worker.
      await registerTypes(types, { workerId, appender: log.appender, codec: log.codec });
      started.ok();
      logger.info('Types are registered', { types: names, workerId, statusPort: status.port });
    },
  });
}

/** Tells two processes of one name and pid apart. */
function randomSuffix(): string {
  return randomBytes(4).readUInt32BE().toString(36).slice(-4).padStart(4, '0');
}
