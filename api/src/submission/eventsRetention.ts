import type { Cluster } from '@taskflow/log/cluster';
import { readConfigs, resourceType } from '@taskflow/log/configs';

const READ_AGAIN_MS = 60_000;

/** How long a topic keeps its records, in milliseconds; Infinity: for ever. Asked again a minute later at the earliest. */
export function eventsRetention(cluster: Cluster): (topic: string) => Promise<number> {
  const known = new Map<string, { readonly readAt: number; readonly retentionMs: Promise<number> }>();
  const read = async (topic: string): Promise<number> => {
    const configs = await readConfigs(cluster, resourceType.topic, [topic]);
    const retentionMs = Number(configs.get(topic)?.get('retention.ms') ?? -1);
    return retentionMs < 0 ? Number.POSITIVE_INFINITY : retentionMs;
  };
  return (topic) => {
    const before = known.get(topic);
    if (before !== undefined && performance.now() - before.readAt < READ_AGAIN_MS) return before.retentionMs;
    const retentionMs = read(topic);
    known.set(topic, { readAt: performance.now(), retentionMs });
    retentionMs.catch(() => known.delete(topic));
    return retentionMs;
  };
}
