import type { Cluster } from '@taskflow/log/cluster';

/** Partitions added to a topic are used after this time at the latest. */
const REFRESH_EVERY_MS = 60_000;

export interface TopicPartitions {
  /** How many partitions a topic has: at once where it was asked for before. */
  of(topic: string): number | Promise<number>;
  stop(): void;
}

/** Partition counts of the topics that tasks are sent to, looked up again from time to time. */
export function topicPartitions(cluster: Cluster): TopicPartitions {
  const used = new Set<string>();
  const refresh = setInterval(() => {
    if (used.size > 0) cluster.refresh(used).catch(() => {}); // what is known stays in use
  }, REFRESH_EVERY_MS);
  refresh.unref();
  return {
    of(topic) {
      const known = cluster.knownTopic(topic);
      if (known !== undefined) return known.partitions.length;
      return cluster.topic(topic).then(({ partitions }) => {
        used.add(topic);
        return partitions.length;
      });
    },
    stop: () => clearInterval(refresh),
  };
}
