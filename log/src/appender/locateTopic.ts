import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { isRetriable, KafkaError, UnknownTopicError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';
import { readTopicLimit } from './topicLimit.ts';
import type { TopicLog } from './topicLog.ts';

/** How long a topic may be missing before it is taken as not there: one just created is not known everywhere at once. */
const topicMissingForMs = 5_000;
/** The same for a partition, shorter, for meanwhile the other partitions of its topic wait. */
const partitionMissingForMs = 2_000;

export interface Search {
  readonly mustRefresh: boolean;
  /** False when nobody waits any more. */
  isWanted(): boolean;
  /** It is tried again. */
  onTrouble(error: unknown): void;
}

/**
 * Finds out what is needed to append to a topic: its limit, and the leaders of its partitions (from then on in `cluster`).
 * Repeats what trying again may mend; rejects with what it does not mend, and with `UnknownTopicError` when the topic is
 * missing for good. Of partitions that are missing for good the caller learns by their absence.
 */
export async function locateTopic(cluster: Cluster, topic: TopicLog, search: Search): Promise<void> {
  const topicIs = new Missing(topicMissingForMs);
  const partitionIs = new Missing(partitionMissingForMs);
  for (let attempt = 1; search.isWanted(); attempt++) {
    try {
      if (search.mustRefresh || attempt > 1) await cluster.refresh([topic.name]);
      const { partitions } = await cluster.topic(topic.name);
      topicIs.there();
      if (topic.limit === undefined) topic.setLimit(await readTopicLimit(cluster, topic.name));
      const wanted = topic.withWork().map(({ partition }) => partitions[partition]);
      const waits = wanted.includes(undefined) && !partitionIs.missingForGood();
      if (!waits && wanted.every((partition) => !partition || partition.leader >= 0)) return;
    } catch (error) {
      if (isMissing(error)) {
        if (topicIs.missingForGood()) throw new UnknownTopicError(topic.name);
      } else {
        if (!isRetriable(error)) throw error;
        topicIs.there();
        search.onTrouble(error);
      }
    }
    await delay(backoffMs(attempt));
  }
}

/** Since when something has been missing without a break. */
class Missing {
  readonly #patienceMs: number;
  #since: number | undefined;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  there(): void {
    this.#since = undefined;
  }

  missingForGood(): boolean {
    this.#since ??= Date.now();
    return Date.now() - this.#since >= this.#patienceMs;
  }
}

function isMissing(error: unknown): boolean {
  if (error instanceof KafkaError) return error.code === codes.UNKNOWN_TOPIC_OR_PARTITION;
  return error instanceof UnknownTopicError;
}
