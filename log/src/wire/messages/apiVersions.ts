import type { Decoder } from '../decoder.ts';
import type { Request, Response } from '../request.ts';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export interface ApiVersionsResponse extends Response {
  readonly errorCode: number;
  readonly apis: ReadonlyMap<number, VersionRange>;
  /** Cluster-wide feature levels (KIP-584), for example `share.version` → 1. */
  readonly features: ReadonlyMap<string, number>;
}

const finalizedFeaturesTag = 2;

/** ApiVersions (18) v3: what the broker can do (KIP-511, KIP-584). */
export function apiVersions(softwareVersion: string): Request<ApiVersionsResponse> {
  return {
    apiKey: 18,
    apiVersion: 3,
    name: 'ApiVersions',
    flexible: true,
    flexibleResponse: false,
    encode: (encoder) => encoder.compactString('taskflow-hub').compactString(softwareVersion).noTags(),
    decode,
  };
}

function decode(decoder: Decoder): ApiVersionsResponse {
  const errorCode = decoder.int16();
  const apis = new Map<number, VersionRange>();
  decoder.compactArray(() => {
    apis.set(decoder.int16(), { min: decoder.int16(), max: decoder.int16() });
    decoder.tags();
  });
  const throttleTimeMs = decoder.int32();
  const features = new Map<string, number>();
  decoder.tags((tag, field) => {
    if (tag !== finalizedFeaturesTag) return;
    field.compactArray(() => {
      const name = field.compactString() ?? '';
      features.set(name, field.int16());
      field.int16();
      field.tags();
    });
  });
  return { throttleTimeMs, errorCode, apis, features };
}
