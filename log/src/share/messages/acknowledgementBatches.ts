import type { Encoder } from '../../wire/encoder.ts';
import type { AcknowledgementRange } from '../acknowledgements.ts';

export interface TopicAcknowledgements {
  readonly topicId: Buffer;
  readonly partitions: readonly {
    readonly partition: number;
    /** Ascending, without overlaps: the broker refuses the whole request otherwise. */
    readonly ranges: readonly AcknowledgementRange[];
  }[];
}

/** The part that ShareFetch and ShareAcknowledge have in common. One type given for a range holds for all of it. */
export function writeAcknowledgements(encoder: Encoder, topics: readonly TopicAcknowledgements[]): void {
  encoder.compactArray(topics, ({ topicId, partitions }) =>
    encoder
      .uuid(topicId)
      .compactArray(partitions, ({ partition, ranges }) =>
        encoder
          .int32(partition)
          .compactArray(ranges, ({ first, last, type }) =>
            encoder.int64(first).int64(last).unsignedVarint(2).int8(type).noTags(),
          )
          .noTags(),
      )
      .noTags(),
  );
}
