import type { Request, Response } from '../request.ts';

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicOutcome {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface TopicOutcomes extends Response {
  readonly topics: readonly TopicOutcome[];
}

/** CreateTopics (19) v7. Any broker passes it on to the controller, and answers for each topic by itself. */
export function createTopics(topics: readonly NewTopic[], timeoutMs: number): Request<TopicOutcomes> {
  return {
    apiKey: 19,
    apiVersion: 7,
    name: 'CreateTopics',
    flexible: true,
    mayTakeMs: timeoutMs,
    encode: (encoder) =>
      encoder
        .compactArray(topics, ({ name, partitions, replicationFactor, config }) =>
          encoder
            .compactString(name)
            .int32(partitions)
            .int16(replicationFactor)
            .compactArray([], () => {})
            .compactArray(Object.entries(config), ([key, value]) =>
              encoder.compactString(key).compactString(value).noTags(),
            )
            .noTags(),
        )
        .int32(timeoutMs)
        .boolean(false)
        .noTags(),
    decode: (decoder) => ({
      throttleTimeMs: decoder.int32(),
      topics: decoder.compactArray(() => {
        const name = decoder.compactString() ?? '';
        decoder.uuid();
        const outcome = { name, errorCode: decoder.int16(), errorMessage: decoder.compactString() };
        decoder.int32();
        decoder.int16();
        decoder.compactArray(() => {
          decoder.compactString();
          decoder.compactString();
          decoder.boolean();
          decoder.int8();
          decoder.boolean();
          decoder.tags();
        });
        decoder.tags();
        return outcome;
      }),
    }),
  };
}
