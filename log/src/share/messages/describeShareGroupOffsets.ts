import type { Request, Response } from '../../wire/request.ts';

export interface ShareGroupPartition {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that is not settled yet; -1 while the group has not begun with the partition. */
  readonly startOffset: number;
  readonly leaderEpoch: number;
  /** Records not settled yet; -1 where the broker does not say. */
  readonly lag: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface DescribeShareGroupOffsetsResponse extends Response {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly partitions: readonly ShareGroupPartition[];
}

/** DescribeShareGroupOffsets (90) v1 for one group and topic, answered by the group's coordinator. */
export function describeShareGroupOffsets(
  group: string,
  topic: string,
  partitions: readonly number[],
): Request<DescribeShareGroupOffsetsResponse> {
  return {
    apiKey: 90,
    apiVersion: 1,
    name: 'DescribeShareGroupOffsets',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactArray([group], () =>
          encoder
            .compactString(group)
            .compactArray([topic], () =>
              encoder
                .compactString(topic)
                .compactArray(partitions, (partition) => encoder.int32(partition))
                .noTags(),
            )
            .noTags(),
        )
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const described: ShareGroupPartition[] = [];
      let errorCode = 0;
      let errorMessage: string | null = null;
      decoder.compactArray(() => {
        decoder.compactString();
        decoder.compactArray(() => {
          const name = decoder.compactString() ?? '';
          decoder.uuid();
          decoder.compactArray(() => {
            described.push({
              topic: name,
              partition: decoder.int32(),
              startOffset: decoder.int64(),
              leaderEpoch: decoder.int32(),
              lag: decoder.int64(),
              errorCode: decoder.int16(),
              errorMessage: decoder.compactString(),
            });
            decoder.tags();
          });
          decoder.tags();
        });
        errorCode = decoder.int16();
        errorMessage = decoder.compactString();
        decoder.tags();
      });
      decoder.tags();
      return { throttleTimeMs, errorCode, errorMessage, partitions: described };
    },
  };
}
