import { retrying } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { resourceType, setConfigs } from './configs.ts';
import { isRetriable, KafkaError } from './errors.ts';
import { type TopicDefinition, type TypeTopicSettings, typeTopics } from './topics/definitions.ts';
import { configureShareGroups, type ShareGroupSettings } from './topics/shareGroupConfig.ts';
import { codes } from './wire/errorCodes.ts';
import { createPartitions } from './wire/messages/createPartitions.ts';
import { createTopics, type TopicOutcome } from './wire/messages/createTopics.ts';

export {
  type Durability,
  systemTopics,
  type TopicDefinition,
  type TypeTopicSettings,
  typeTopics,
} from './topics/definitions.ts';
export type { ShareGroupSettings } from './topics/shareGroupConfig.ts';

/** For one request; the whole is tried again until `patienceMs` is over. */
const brokerTimeoutMs = 10_000;
const patienceMs = 60_000;

/**
 * Makes topics as they are defined: creates the missing ones, adds partitions where there are fewer (never removes any), sets
 * the settings named that differ. Resolves when all have leaders, so that what follows can use them. Several processes may
 * do this at once.
 */
export async function ensureTopics(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  await retrying(() => ensureOnce(cluster, definitions), {
    forMs: patienceMs,
    onRetry: (error) => cluster.logger.info('topics are not as they should be yet', { error: String(error) }),
  });
}

/**
 * Makes all that a task type needs in Kafka: queue and events topics, and the configuration of its share groups. Idempotent:
 * every worker does it when it starts.
 */
export async function ensureTypeTopics(
  cluster: Cluster,
  type: string,
  settings: TypeTopicSettings & ShareGroupSettings = {},
): Promise<void> {
  await ensureTopics(cluster, typeTopics(type, settings));
  await retrying(() => configureShareGroups(cluster, type, settings), { forMs: patienceMs });
}

async function ensureOnce(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const names = definitions.map(({ name }) => name);
  await cluster.refresh(names);
  const missing = definitions.filter(({ name }) => !cluster.knownTopic(name));
  const existing = definitions.filter(({ name }) => cluster.knownTopic(name));
  if (missing.length > 0) await create(cluster, missing);
  await grow(cluster, existing);
  const changed = await setConfigs(
    cluster,
    resourceType.topic,
    new Map(existing.map(({ name, config }) => [name, config])),
  );
  if (changed.length > 0) cluster.logger.info('topics were set to their configuration', { topics: changed });
  await waitForLeaders(cluster, definitions);
}

async function create(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const { topics } = await cluster.request('any', createTopics(definitions, brokerTimeoutMs));
  failOnErrors('Creation', topics, codes.TOPIC_ALREADY_EXISTS);
  const created = topics.filter(({ errorCode }) => errorCode === 0).map(({ name }) => name);
  if (created.length > 0) cluster.logger.info('topics were created', { topics: created });
}

async function grow(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const short = definitions.filter(({ name, partitions }) => cluster.knownTopic(name)!.partitions.length < partitions);
  if (short.length === 0) return;
  const { topics } = await cluster.request('any', createPartitions(short, brokerTimeoutMs));
  // INVALID_PARTITIONS: another process was faster. The wait for leaders sees whether there are enough now.
  failOnErrors('More partitions', topics, codes.INVALID_PARTITIONS);
}

async function waitForLeaders(cluster: Cluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const isReady = ({ name, partitions }: TopicDefinition) => {
    const known = cluster.knownTopic(name)?.partitions ?? [];
    return known.length >= partitions && known.every(({ leader }) => leader >= 0);
  };
  const waiting = definitions.filter((definition) => !isReady(definition)).map(({ name }) => name);
  if (waiting.length === 0) return;
  await retrying(
    async () => {
      await cluster.refresh(waiting);
      const without = definitions.find((definition) => !isReady(definition));
      if (without) throw new KafkaError(codes.LEADER_NOT_AVAILABLE, `Topic ${without.name}`);
    },
    { forMs: patienceMs, backoff: { baseMs: 20, capMs: 500 } },
  );
}

/** Throws the error of a topic, a retriable one only where there is no other. */
function failOnErrors(what: string, outcomes: readonly TopicOutcome[], accepted: number): void {
  const errors = outcomes
    .filter(({ errorCode }) => errorCode !== 0 && errorCode !== accepted)
    .map(({ name, errorCode, errorMessage }) => new KafkaError(errorCode, `${what} of topic ${name}`, errorMessage));
  const worst = errors.find((error) => !isRetriable(error)) ?? errors[0];
  if (worst) throw worst;
}
