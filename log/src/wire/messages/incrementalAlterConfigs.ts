import type { Request, Response } from '../request.ts';
import type { ResourceType } from './describeConfigs.ts';

export interface ConfigChange {
  readonly type: ResourceType;
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
}

export interface AlterConfigsResponse extends Response {
  readonly resources: readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

const setOperation = 0;

/** IncrementalAlterConfigs (44) v1 (KIP-339): sets the values named, and leaves the others. */
export function incrementalAlterConfigs(changes: readonly ConfigChange[]): Request<AlterConfigsResponse> {
  return {
    apiKey: 44,
    apiVersion: 1,
    name: 'IncrementalAlterConfigs',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactArray(changes, ({ type, name, values }) =>
          encoder
            .int8(type)
            .compactString(name)
            .compactArray(Object.entries(values), ([key, value]) =>
              encoder.compactString(key).int8(setOperation).compactString(value).noTags(),
            )
            .noTags(),
        )
        .boolean(false)
        .noTags(),
    decode: (decoder) => ({
      throttleTimeMs: decoder.int32(),
      resources: decoder.compactArray(() => {
        const errorCode = decoder.int16();
        const errorMessage = decoder.compactString();
        decoder.int8();
        const name = decoder.compactString() ?? '';
        decoder.tags();
        return { name, errorCode, errorMessage };
      }),
    }),
  };
}
