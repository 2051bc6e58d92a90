import { retrying } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { throwIfError } from '../errors.ts';
import type { LogRecord } from '../logRecord.ts';
import { offsetAt } from '../wire/messages/listOffsets.ts';
import { offsetForLeaderEpoch } from '../wire/messages/offsetForLeaderEpoch.ts';
import { offsetAtTime } from './offsets.ts';
import { RangeReader } from './readRange.ts';

const patienceMs = 10_000;

/** See `lastRecordOfOldLeader` in `reader.ts`. */
export async function lastRecordBeforeLeader(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<LogRecord | undefined> {
  const begin = await retrying(() => beginOfLeader(cluster, topic, partition), {
    forMs: patienceMs,
    onRetry: () => cluster.refresh([topic]).catch(() => {}),
  });
  const start = await offsetAtTime(cluster, topic, partition, offsetAt.start);
  if (begin <= start) return undefined;
  const range = { topic, partition, from: { offset: begin - 1 }, to: { offset: begin }, patienceMs } as const;
  for await (const records of new RangeReader(cluster, range).read()) return records.at(-1);
  return undefined;
}

/** The offset that the log ended with when its present leader became it. */
async function beginOfLeader(cluster: Cluster, topic: string, partition: number): Promise<number> {
  const { brokerId, leaderEpoch } = await cluster.leader(topic, partition);
  if (leaderEpoch <= 0) return -1;
  const epochs = { currentLeaderEpoch: leaderEpoch, leaderEpoch: leaderEpoch - 1 };
  const answer = await cluster.request(brokerId, offsetForLeaderEpoch(topic, partition, epochs));
  throwIfError(answer.errorCode, `Epochs of ${topic}/${partition}`);
  return answer.endOffset;
}
