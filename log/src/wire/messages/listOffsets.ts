import type { Request, Response } from '../request.ts';

export interface PartitionTime {
  readonly topic: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** A time in milliseconds, or one of `offsetAt`. */
  readonly time: number;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 where there is no record of that time or later. */
  readonly offset: number;
}

export interface ListOffsetsResponse extends Response {
  readonly partitions: readonly PartitionOffset[];
}

/** Times with a meaning of their own. */
export const offsetAt = {
  /** The first offset that the log still has. */
  start: -2,
  /** The offset after the last record that consumers may read (the high watermark). */
  end: -1,
} as const;

const noReplica = -1;
const readUncommitted = 0;

/** ListOffsets (2) v7, which the partition's leader answers; fenced by leader epochs (KIP-320). */
export function listOffsets(partitions: readonly PartitionTime[]): Request<ListOffsetsResponse> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  return {
    apiKey: 2,
    apiVersion: 7,
    name: 'ListOffsets',
    flexible: true,
    encode: (encoder) =>
      encoder
        .int32(noReplica)
        .int8(readUncommitted)
        .compactArray([...byTopic], ([topic, ofTopic]) =>
          encoder
            .compactString(topic)
            .compactArray(ofTopic, ({ partition, leaderEpoch, time }) =>
              encoder.int32(partition).int32(leaderEpoch).int64(time).noTags(),
            )
            .noTags(),
        )
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const topics = decoder.compactArray(() => {
        const topic = decoder.compactString() ?? '';
        const ofTopic = decoder.compactArray(() => {
          const partition = decoder.int32();
          const errorCode = decoder.int16();
          decoder.int64();
          const offset = decoder.int64();
          decoder.int32();
          decoder.tags();
          return { topic, partition, errorCode, offset };
        });
        decoder.tags();
        return ofTopic;
      });
      return { throttleTimeMs, partitions: topics.flat() };
    },
  };
}
