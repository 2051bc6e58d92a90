import { retrying } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { isRetriable, KafkaError, throwIfError } from './errors.ts';
import { describeShareGroupOffsets } from './share/messages/describeShareGroupOffsets.ts';
import { codes } from './wire/errorCodes.ts';
import type { Request, Response } from './wire/request.ts';

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  /**
   * All records before this offset are accepted, rejected or archived. The broker stores it with the next change after the one
   * that moved it, so it may be behind by what was settled last; `lag` is not. Undefined while the group has not begun.
   */
  readonly startOffset: number | undefined;
  /** Records not settled yet: waiting, locked, or given back. Undefined while the broker does not know. */
  readonly lag: number | undefined;
}

const patienceMs = 10_000;

/** How far a share group has come with a queue, as its coordinator knows it: the group need not have members. */
export async function groupOffsets(cluster: Cluster, group: string, topic: string): Promise<GroupOffset[]> {
  return retrying(() => describe(cluster, group, topic), {
    forMs: patienceMs,
    onRetry: () => cluster.forgetCoordinator(group),
    when: (error) => isRetriable(error) || (error instanceof KafkaError && error.code === codes.UNKNOWN_TOPIC_ID),
  });
}

/** The backlog of a queue: records that no worker has settled yet. A group that never began has everything before it. */
export async function groupLag(cluster: Cluster, group: string, topic: string): Promise<number> {
  return (await groupOffsets(cluster, group, topic)).reduce((sum, { lag }) => sum + (lag ?? 0), 0);
}

async function describe(cluster: Cluster, group: string, topic: string): Promise<GroupOffset[]> {
  const { partitions } = await cluster.topic(topic);
  const numbers = partitions.map(({ partition }) => partition);
  const answer = await ask(cluster, group, describeShareGroupOffsets(group, topic, numbers));
  if (answer.errorCode === codes.GROUP_ID_NOT_FOUND) {
    return numbers.map((partition) => ({ topic, partition, startOffset: undefined, lag: undefined }));
  }
  throwIfError(answer.errorCode, `Offsets of share group ${group}`, answer.errorMessage);
  return answer.partitions.map(({ partition, startOffset, lag, errorCode, errorMessage }) => {
    throwIfError(errorCode, `Offset of share group ${group} in ${topic}/${partition}`, errorMessage);
    return {
      topic,
      partition,
      startOffset: startOffset < 0 ? undefined : startOffset,
      lag: lag < 0 ? undefined : lag,
    };
  });
}

/** On a connection of its own: the broker may take two seconds over it (after locks were given up), and answers in turn. */
async function ask<T extends Response>(cluster: Cluster, group: string, request: Request<T>): Promise<T> {
  const connection = await cluster.openConnection({ coordinatorOf: group });
  try {
    return await connection.send(request);
  } finally {
    connection.close();
  }
}
