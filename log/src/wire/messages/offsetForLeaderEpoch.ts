import type { Request, Response } from '../request.ts';

export interface OffsetForLeaderEpochResponse extends Response {
  readonly errorCode: number;
  /** Of the greatest epoch up to the one asked for; -1 where the log knows none. */
  readonly endOffset: number;
}

const noReplica = -1;

/** OffsetForLeaderEpoch (23) v4 for one partition, which its leader answers: where an epoch of the log ends. */
export function offsetForLeaderEpoch(
  topic: string,
  partition: number,
  { currentLeaderEpoch, leaderEpoch }: { readonly currentLeaderEpoch: number; readonly leaderEpoch: number },
): Request<OffsetForLeaderEpochResponse> {
  return {
    apiKey: 23,
    apiVersion: 4,
    name: 'OffsetForLeaderEpoch',
    flexible: true,
    encode: (encoder) =>
      encoder
        .int32(noReplica)
        .compactArray([topic], (name) =>
          encoder
            .compactString(name)
            .compactArray([partition], (number) =>
              encoder.int32(number).int32(currentLeaderEpoch).int32(leaderEpoch).noTags(),
            )
            .noTags(),
        )
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const topics = decoder.compactArray(() => {
        decoder.compactString();
        const partitions = decoder.compactArray(() => {
          const errorCode = decoder.int16();
          decoder.int32();
          decoder.int32();
          const endOffset = decoder.int64();
          decoder.tags();
          return { errorCode, endOffset };
        });
        decoder.tags();
        return partitions;
      });
      return { throttleTimeMs, ...topics[0]![0]! };
    },
  };
}
