import type { Cluster } from '../cluster.ts';
import { throwIfError } from '../errors.ts';
import { describeConfigs, resourceType } from '../wire/messages/describeConfigs.ts';

const setting = 'max.message.bytes';

/** The largest record batch that a topic takes: its own setting, or the broker's `message.max.bytes`. */
export async function readTopicLimit(cluster: Cluster, topic: string): Promise<number> {
  const { resources } = await cluster.request(
    'any',
    describeConfigs([{ type: resourceType.topic, name: topic, keys: [setting] }]),
  );
  const described = resources[0];
  throwIfError(described?.errorCode ?? -1, `Configuration of topic ${topic}`, described?.errorMessage);
  return Number(described?.values.get(setting));
}
