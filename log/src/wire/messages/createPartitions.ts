import type { Request } from '../request.ts';
import type { TopicOutcomes } from './createTopics.ts';

export interface PartitionCount {
  readonly name: string;
  /** Partitions that the topic shall have in all. */
  readonly partitions: number;
}

/** CreatePartitions (37) v3. */
export function createPartitions(topics: readonly PartitionCount[], timeoutMs: number): Request<TopicOutcomes> {
  return {
    apiKey: 37,
    apiVersion: 3,
    name: 'CreatePartitions',
    flexible: true,
    mayTakeMs: timeoutMs,
    encode: (encoder) =>
      encoder
        .compactArray(topics, ({ name, partitions }) =>
          encoder
            .compactString(name)
            .int32(partitions)
            .compactArray(null, () => {})
            .noTags(),
        )
        .int32(timeoutMs)
        .boolean(false)
        .noTags(),
    decode: (decoder) => ({
      throttleTimeMs: decoder.int32(),
      topics: decoder.compactArray(() => {
        const outcome = {
          name: decoder.compactString() ?? '',
          errorCode: decoder.int16(),
          errorMessage: decoder.compactString(),
        };
        decoder.tags();
        return outcome;
      }),
    }),
  };
}
