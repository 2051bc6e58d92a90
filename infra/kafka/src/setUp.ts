/**
 * Makes Kafka and the schema registry ready for the services: creates the topics that do not belong to a task type, and
 * publishes the schemas of the contract. Idempotent; runs at each start of the system, before the services.
 *
 * TASKFLOW_REPLICATION_FACTOR (1) and TASKFLOW_MIN_INSYNC_REPLICAS (1) are those of a single broker: set 3 and 2 elsewhere.
 */
import { connectCluster } from '@taskflow/log/cluster';
import { publishSchemas } from '@taskflow/log/registry';
import { type Durability, ensureTopics, systemTopics } from '@taskflow/log/topics';

async function createTopics(brokers: readonly string[], durability: Durability): Promise<void> {
  const cluster = await connectCluster({ brokers, clientId: 'taskflow-set-up' });
  try {
    await ensureTopics(cluster, systemTopics(durability));
  } finally {
    await cluster.close();
  }
}

function variable(name: string, otherwise: string): string {
  return process.env[name] || otherwise;
}

function count(name: string): number {
  const text = variable(name, '1');
  if (!/^[1-9]\d?$/.test(text)) throw new Error(`${name} must be a whole number from 1 to 99, not ${text}`);
  return Number(text);
}

try {
  await Promise.all([
    createTopics(variable('TASKFLOW_KAFKA_BROKERS', '127.0.0.1:29092').split(','), {
      replicationFactor: count('TASKFLOW_REPLICATION_FACTOR'),
      minInsyncReplicas: count('TASKFLOW_MIN_INSYNC_REPLICAS'),
    }),
    publishSchemas({ url: variable('TASKFLOW_REGISTRY_URL', 'http://127.0.0.1:28081/apis/ccompat/v7') }),
  ]);
} catch (error) {
  console.error(`Kafka could not be set up: ${(error as Error).message}`);
  process.exitCode = 1;
}
