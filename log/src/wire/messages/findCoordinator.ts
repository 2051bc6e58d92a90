import type { Request, Response } from '../request.ts';

export interface FindCoordinatorResponse extends Response {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly brokerId: number;
}

/**
 * FindCoordinator (10) v4 for one group (share groups have the same coordinators as consumer groups). The first one on
 * a fresh cluster creates the group topic, and answers COORDINATOR_NOT_AVAILABLE until it is there.
 */
export function findCoordinator(group: string): Request<FindCoordinatorResponse> {
  return {
    apiKey: 10,
    apiVersion: 4,
    name: 'FindCoordinator',
    flexible: true,
    encode: (encoder) =>
      encoder
        .int8(0)
        .compactArray([group], (key) => encoder.compactString(key))
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const [coordinator] = decoder.compactArray(() => {
        decoder.compactString();
        const brokerId = decoder.int32();
        decoder.compactString();
        decoder.int32();
        const answer = { brokerId, errorCode: decoder.int16(), errorMessage: decoder.compactString() };
        decoder.tags();
        return answer;
      });
      decoder.tags();
      return { throttleTimeMs, ...(coordinator ?? { brokerId: -1, errorCode: -1, errorMessage: null }) };
    },
  };
}
