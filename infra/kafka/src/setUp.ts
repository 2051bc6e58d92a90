/**
 * Makes Kafka ready for the services: creates the topics that do not belong to a task type. Idempotent; runs at each start
 * of the system, before the services.
 *
 * TASKFLOW_REPLICATION_FACTOR (1) and TASKFLOW_MIN_INSYNC_REPLICAS (1) are those of a single broker: set 3 and 2 elsewhere.
 */
import { connectCluster } from '@taskflow/log/cluster';
import { ensureTopics, systemTopics } from '@taskflow/log/topics';

const brokers = (process.env.TASKFLOW_KAFKA_BROKERS || '127.0.0.1:29092').split(',');

function count(variable: string): number {
  const text = process.env[variable] || '1';
  if (!/^[1-9]\d?$/.test(text)) throw new Error(`${variable} must be a whole number from 1 to 99, not ${text}`);
  return Number(text);
}

async function setUp(): Promise<void> {
  const durability = {
    replicationFactor: count('TASKFLOW_REPLICATION_FACTOR'),
    minInsyncReplicas: count('TASKFLOW_MIN_INSYNC_REPLICAS'),
  };
  const cluster = await connectCluster({ brokers, clientId: 'taskflow-set-up' });
  try {
    await ensureTopics(cluster, systemTopics(durability));
  } finally {
    await cluster.close();
  }
}

await setUp().catch((error: Error) => {
  console.error(`Kafka could not be set up: ${error.message}`);
  process.exitCode = 1;
});
