import { retrying } from './backoff.ts';
import type { BrokerTarget, Cluster } from './cluster.ts';
import { ConnectionError, KafkaError, throwIfError } from './errors.ts';
import { codes } from './wire/errorCodes.ts';
import { describeConfigs, type ResourceType, resourceType } from './wire/messages/describeConfigs.ts';
import { type ConfigChange, incrementalAlterConfigs } from './wire/messages/incrementalAlterConfigs.ts';

export { type ResourceType, resourceType } from './wire/messages/describeConfigs.ts';

const knownWithinMs = 10_000;

export type ConfigValues = Readonly<Record<string, string>>;

/** The values in force of topics, groups or brokers, by name. */
export async function readConfigs(
  cluster: Cluster,
  type: ResourceType,
  names: readonly string[],
  broker: BrokerTarget = 'any',
): Promise<ReadonlyMap<string, ReadonlyMap<string, string | null>>> {
  const { resources } = await cluster.request(broker, describeConfigs(names.map((name) => ({ type, name }))));
  for (const { name, errorCode, errorMessage } of resources) {
    throwIfError(errorCode, `Configuration of ${typeName(type)} ${name}`, errorMessage);
  }
  return new Map(resources.map(({ name, values }) => [name, values]));
}

/**
 * Sets the values that are not as wanted, and resolves when every broker goes by them: the answer to the change comes
 * earlier, and a share group that began in between would begin at the wrong end. Gives the names of what it had to change.
 */
export async function setConfigs(
  cluster: Cluster,
  type: ResourceType,
  wanted: ReadonlyMap<string, ConfigValues>,
): Promise<readonly string[]> {
  const changes = await differences(cluster, 'any', type, wanted);
  if (changes.length === 0) return [];
  const { resources } = await cluster.request('any', incrementalAlterConfigs(changes));
  for (const { name, errorCode, errorMessage } of resources) {
    throwIfError(errorCode, `Configuration of ${typeName(type)} ${name}`, errorMessage);
  }
  await Promise.all(cluster.brokerIds.map((brokerId) => waitUntilKnown(cluster, brokerId, type, wanted)));
  return changes.map(({ name }) => name);
}

async function waitUntilKnown(
  cluster: Cluster,
  brokerId: number,
  type: ResourceType,
  wanted: ReadonlyMap<string, ConfigValues>,
): Promise<void> {
  const check = async () => {
    const [open] = await differences(cluster, brokerId, type, wanted);
    if (open) throw new KafkaError(codes.REQUEST_TIMED_OUT, `Configuration of ${open.name} at broker ${brokerId}`);
  };
  await retrying(check, { forMs: knownWithinMs, backoff: { baseMs: 20, capMs: 200 } }).catch((error: unknown) => {
    // A broker that is away reads the configuration when it comes back.
    if (!(error instanceof ConnectionError)) throw error;
  });
}

async function differences(
  cluster: Cluster,
  broker: BrokerTarget,
  type: ResourceType,
  wanted: ReadonlyMap<string, ConfigValues>,
): Promise<readonly ConfigChange[]> {
  if (wanted.size === 0) return [];
  const present = await readConfigs(cluster, type, [...wanted.keys()], broker);
  const changes: ConfigChange[] = [];
  for (const [name, values] of wanted) {
    const differing = Object.entries(values).filter(([key, value]) => present.get(name)?.get(key) !== value);
    if (differing.length > 0) changes.push({ type, name, values: Object.fromEntries(differing) });
  }
  return changes;
}

function typeName(type: ResourceType): string {
  return Object.entries(resourceType).find(([, value]) => value === type)?.[0] ?? String(type);
}
