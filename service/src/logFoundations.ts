import { type Appender, createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { connectRegistry, type Registry } from '@taskflow/log/registry';
import { queueBatchRecords } from '@taskflow/schemas/topics';
import { startStatusServer } from './httpStatus.ts';
import { kafkaAccess } from './kafkaAccess.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import type { baseSettings, ConfigOf, statusSettings } from './settings.ts';
import { followTaskTypes, type TaskTypes } from './taskTypes.ts';

/** What a service without a port of its own stands on that reads and writes the log. */
export interface LogFoundations {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly appender: Appender;
  readonly types: TaskTypes;
}

/** Serves status and metrics from the first moment, and connects to the log; all of it is stopped with the service. */
export async function logFoundations(
  { onStop, fail, stopping }: Lifecycle,
  service: {
    readonly name: string;
    readonly config: ConfigOf<typeof baseSettings & typeof statusSettings>;
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly readiness: Readiness;
  },
): Promise<LogFoundations> {
  const { name, config, logger, metrics, readiness } = service;
  const status = await startStatusServer({ port: config.statusPort, host: config.statusHost, readiness, metrics });
  onStop('status server', () => status.stop());
  const cluster = await connectCluster({ ...kafkaAccess(config), clientId: `taskflow-${name}`, logger });
  onStop('cluster', () => cluster.close());
  const registry = await connectRegistry({ url: config.registryUrl, logger });
  const appender = createAppender(cluster, { maxBatchRecords: queueBatchRecords });
  onStop('appender', () => appender.close());
  const types = await followTaskTypes({ cluster, codec: registry.codec, logger, signal: stopping, onFailure: fail });
  return { cluster, registry, appender, types };
}
