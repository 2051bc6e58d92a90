import type { Request, Response } from '../request.ts';

/** `ConfigResource.Type` of the protocol; groups are of KIP-932. */
export const resourceType = { topic: 2, broker: 4, group: 32 } as const;
export type ResourceType = (typeof resourceType)[keyof typeof resourceType];

export interface ConfigResource {
  readonly type: ResourceType;
  readonly name: string;
  /** The settings wanted; all unless given. */
  readonly keys?: readonly string[];
}

export interface DescribedConfig {
  readonly type: number;
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Values in force, the broker's defaults included. A secret's is null. */
  readonly values: ReadonlyMap<string, string | null>;
}

export interface DescribeConfigsResponse extends Response {
  readonly resources: readonly DescribedConfig[];
}

/** DescribeConfigs (32) v4. Raw, because kafkajs's admin refuses resources of type group. */
export function describeConfigs(resources: readonly ConfigResource[]): Request<DescribeConfigsResponse> {
  return {
    apiKey: 32,
    apiVersion: 4,
    name: 'DescribeConfigs',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactArray(resources, ({ type, name, keys }) =>
          encoder
            .int8(type)
            .compactString(name)
            .compactArray(keys ?? null, (key) => encoder.compactString(key))
            .noTags(),
        )
        .boolean(false)
        .boolean(false)
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const resourcesDescribed = decoder.compactArray(() => {
        const head = {
          errorCode: decoder.int16(),
          errorMessage: decoder.compactString(),
          type: decoder.int8(),
          name: decoder.compactString() ?? '',
        };
        const values = new Map<string, string | null>();
        decoder.compactArray(() => {
          values.set(decoder.compactString() ?? '', decoder.compactString());
          decoder.boolean();
          decoder.int8();
          decoder.boolean();
          decoder.compactArray(() => {
            decoder.compactString();
            decoder.compactString();
            decoder.int8();
            decoder.tags();
          });
          decoder.int8();
          decoder.compactString();
          decoder.tags();
        });
        decoder.tags();
        return { ...head, values };
      });
      return { throttleTimeMs, resources: resourcesDescribed };
    },
  };
}
