import type { Cluster } from './cluster.ts';
import { throwIfError } from './errors.ts';
import { describeConfigs, type ResourceType, resourceType } from './wire/messages/describeConfigs.ts';
import { incrementalAlterConfigs } from './wire/messages/incrementalAlterConfigs.ts';

export { type ResourceType, resourceType } from './wire/messages/describeConfigs.ts';

export type ConfigValues = Readonly<Record<string, string>>;

/** The values in force of topics, groups or brokers, by name. */
export async function readConfigs(
  cluster: Cluster,
  type: ResourceType,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string | null>>> {
  const { resources } = await cluster.request('any', describeConfigs(names.map((name) => ({ type, name }))));
  for (const { name, errorCode, errorMessage } of resources) {
    throwIfError(errorCode, `Configuration of ${typeName(type)} ${name}`, errorMessage);
  }
  return new Map(resources.map(({ name, values }) => [name, values]));
}

/** Sets the values that are not as wanted. Gives the names of the topics or groups that it had to change. */
export async function setConfigs(
  cluster: Cluster,
  type: ResourceType,
  wanted: ReadonlyMap<string, ConfigValues>,
): Promise<readonly string[]> {
  if (wanted.size === 0) return [];
  const present = await readConfigs(cluster, type, [...wanted.keys()]);
  const changes = [];
  for (const [name, values] of wanted) {
    const differing = Object.entries(values).filter(([key, value]) => present.get(name)?.get(key) !== value);
    if (differing.length > 0) changes.push({ type, name, values: Object.fromEntries(differing) });
  }
  if (changes.length === 0) return [];
  const { resources } = await cluster.request('any', incrementalAlterConfigs(changes));
  for (const { name, errorCode, errorMessage } of resources) {
    throwIfError(errorCode, `Configuration of ${typeName(type)} ${name}`, errorMessage);
  }
  return changes.map(({ name }) => name);
}

function typeName(type: ResourceType): string {
  return Object.entries(resourceType).find(([, value]) => value === type)?.[0] ?? String(type);
}
