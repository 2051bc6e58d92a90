import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { KafkaError, UnknownTopicError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';
import { readTopicLimit } from './topicLimit.ts';
import type { TopicLog } from './topicLog.ts';

/** How long a topic may be missing before it is taken as not there: one just created is not known everywhere at once. */
const missingForMs = 5_000;

/**
 * Finds out what is needed to append to a topic: its limit, and that its partitions have leaders (then in `cluster`).
 * Repeats until that is so, or `isWanted` says that nobody waits any more. Rejects with `UnknownTopicError` when the topic
 * is missing for good; any other error that trying again does not mend is left to the callers' deadlines, and logged.
 */
export async function locateTopic(
  cluster: Cluster,
  topic: TopicLog,
  mustRefresh: boolean,
  isWanted: () => boolean,
): Promise<void> {
  let missingSince: number | undefined;
  for (let attempt = 1; isWanted(); attempt++) {
    try {
      if (mustRefresh || attempt > 1) await cluster.refresh([topic.name]);
      const { partitions } = await cluster.topic(topic.name);
      if (topic.limit === undefined) topic.setLimit(await readTopicLimit(cluster, topic.name));
      if (topic.withWork().every(({ partition }) => (partitions[partition]?.leader ?? 0) >= 0)) return;
      missingSince = undefined;
    } catch (error) {
      if (isMissing(error)) {
        missingSince ??= Date.now();
        if (Date.now() - missingSince >= missingForMs) throw new UnknownTopicError(topic.name);
      } else {
        missingSince = undefined;
        if (attempt === 1) cluster.logger.warn(`cannot append to ${topic.name} at present`, { error: String(error) });
      }
    }
    await delay(backoffMs(attempt));
  }
}

function isMissing(error: unknown): boolean {
  if (error instanceof KafkaError) return error.code === codes.UNKNOWN_TOPIC_OR_PARTITION;
  return error instanceof UnknownTopicError;
}
