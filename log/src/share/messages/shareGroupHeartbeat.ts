import type { Request, Response } from '../../wire/request.ts';

/** The member epoch that joins (or joins anew), and the one that leaves. */
export const joinEpoch = 0;
export const leaveEpoch = -1;

export interface ShareGroupHeartbeat {
  readonly group: string;
  /** Chosen by the member, and kept for its whole life. */
  readonly memberId: string;
  readonly memberEpoch: number;
  /** The topics wanted; null where they are what the last heartbeat named. */
  readonly topics: readonly string[] | null;
}

export interface AssignedTopic {
  readonly topicId: Buffer;
  readonly partitions: readonly number[];
}

export interface ShareGroupHeartbeatResponse extends Response {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Undefined where nothing changed since the last heartbeat. */
  readonly assignment: readonly AssignedTopic[] | undefined;
}

/** ShareGroupHeartbeat (76) v1: joins a share group, stays in it, learns which partitions to ask, leaves. */
export function shareGroupHeartbeat(beat: ShareGroupHeartbeat): Request<ShareGroupHeartbeatResponse> {
  return {
    apiKey: 76,
    apiVersion: 1,
    name: 'ShareGroupHeartbeat',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactString(beat.group)
        .compactString(beat.memberId)
        .int32(beat.memberEpoch)
        .compactString(null)
        .compactArray(beat.topics, (topic) => encoder.compactString(topic))
        .noTags(),
    decode(decoder) {
      const throttleTimeMs = decoder.int32();
      const errorCode = decoder.int16();
      const errorMessage = decoder.compactString();
      decoder.compactString();
      const memberEpoch = decoder.int32();
      const heartbeatIntervalMs = decoder.int32();
      let assignment: AssignedTopic[] | undefined;
      // a nullable structure: -1 stands for null
      if (decoder.int8() >= 0) {
        assignment = decoder.compactArray(() => {
          const topicId = Buffer.from(decoder.uuid());
          const partitions = decoder.compactArray(() => decoder.int32());
          decoder.tags();
          return { topicId, partitions };
        });
        decoder.tags();
      }
      decoder.tags();
      return { throttleTimeMs, errorCode, errorMessage, memberEpoch, heartbeatIntervalMs, assignment };
    },
  };
}
