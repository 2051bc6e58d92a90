import type { Decoder } from '../decoder.ts';
import type { Request, Response } from '../request.ts';

export interface FetchPosition {
  readonly topicId: Buffer;
  readonly partition: number;
  readonly offset: number;
  /** The leader that this client thinks it is asking. */
  readonly leaderEpoch: number;
  /** Epoch of the record before `offset`, -1 if unknown: by it the leader sees whether both have the same log. */
  readonly lastFetchedEpoch: number;
}

export interface FetchLimits {
  /** How long the broker waits where there is nothing yet. */
  readonly maxWaitMs: number;
  /** A batch larger than these is given all the same where it is the first of the first partition that has any. */
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

export interface FetchedPartition {
  readonly topicIdHex: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Consumers may read up to before it. */
  readonly highWatermark: number;
  readonly logStart: number;
  /** The leader's log ended its common part with this client's here (KIP-595); -1 if they agree. */
  readonly divergedAt: number;
  readonly records: Buffer | null;
}

export interface FetchResponse extends Response {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export const fetchApiKey = 1;
const noReplica = -1;
const readUncommitted = 0;
const noSession = 0;
const fullFetch = -1;
const noLogStart = -1;
const divergingEpochTag = 0;

/** Fetch (1) v13, without a fetch session: topics by id (KIP-516), fenced by leader epochs (KIP-320). */
export function fetch(positions: readonly FetchPosition[], limits: FetchLimits): Request<FetchResponse> {
  const { maxWaitMs, maxBytes, partitionMaxBytes } = limits;
  const byTopic = Map.groupBy(positions, ({ topicId }) => topicId);
  return {
    apiKey: fetchApiKey,
    apiVersion: 13,
    name: 'Fetch',
    flexible: true,
    mayTakeMs: maxWaitMs,
    encode: (encoder) =>
      encoder
        .int32(noReplica)
        .int32(maxWaitMs)
        .int32(1)
        .int32(maxBytes)
        .int8(readUncommitted)
        .int32(noSession)
        .int32(fullFetch)
        .compactArray([...byTopic], ([topicId, ofTopic]) =>
          encoder
            .uuid(topicId)
            .compactArray(ofTopic, ({ partition, leaderEpoch, offset, lastFetchedEpoch }) =>
              encoder
                .int32(partition)
                .int32(leaderEpoch)
                .int64(offset)
                .int32(lastFetchedEpoch)
                .int64(noLogStart)
                .int32(partitionMaxBytes)
                .noTags(),
            )
            .noTags(),
        )
        .compactArray([], () => {})
        .compactString('')
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const errorCode = decoder.int16();
      decoder.int32();
      const topics = decoder.compactArray(() => {
        const topicIdHex = decoder.uuid().toString('hex');
        const ofTopic = decoder.compactArray(() => decodePartition(decoder, topicIdHex));
        decoder.tags();
        return ofTopic;
      });
      return { throttleTimeMs, errorCode, partitions: topics.flat() };
    },
  };
}

function decodePartition(decoder: Decoder, topicIdHex: string): FetchedPartition {
  const partition = decoder.int32();
  const errorCode = decoder.int16();
  const highWatermark = decoder.int64();
  decoder.int64();
  const logStart = decoder.int64();
  decoder.compactArray(() => {
    decoder.int64();
    decoder.int64();
    decoder.tags();
  });
  decoder.int32();
  const records = decoder.compactBytes();
  let divergedAt = -1;
  decoder.tags((tag, field) => {
    if (tag !== divergingEpochTag) return;
    field.int32();
    divergedAt = field.int64();
  });
  return { topicIdHex, partition, errorCode, highWatermark, logStart, divergedAt, records };
}
