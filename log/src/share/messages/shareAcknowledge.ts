import type { Decoder } from '../../wire/decoder.ts';
import type { Request, Response } from '../../wire/request.ts';
import { type TopicAcknowledgements, writeAcknowledgements } from './acknowledgementBatches.ts';
import { type CurrentLeader, readLeader, type ShareAnswer } from './shareAnswer.ts';

/** The session epoch that closes the session and gives up all its locks. */
export const closeSessionEpoch = -1;

export interface ShareAcknowledge {
  readonly group: string;
  readonly memberId: string;
  readonly sessionEpoch: number;
  /** Whether renewals are among the acknowledgements (KIP-1222). */
  readonly renews: boolean;
  readonly topics: readonly TopicAcknowledgements[];
}

export interface ShareAcknowledgePartition extends CurrentLeader {
  readonly topicId: Buffer;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface ShareAcknowledgeResponse extends Response, ShareAnswer {
  readonly partitions: readonly ShareAcknowledgePartition[];
}

/** ShareAcknowledge (79) v2: acknowledgements and renewals on their own, and the end of a session. */
export function shareAcknowledge(acknowledge: ShareAcknowledge): Request<ShareAcknowledgeResponse> {
  return {
    apiKey: 79,
    apiVersion: 2,
    name: 'ShareAcknowledge',
    flexible: true,
    encode(encoder) {
      encoder
        .compactString(acknowledge.group)
        .compactString(acknowledge.memberId)
        .int32(acknowledge.sessionEpoch)
        .boolean(acknowledge.renews);
      writeAcknowledgements(encoder, acknowledge.topics);
      encoder.noTags();
    },
    decode,
  };
}

function decode(decoder: Decoder): ShareAcknowledgeResponse {
  const throttleTimeMs = decoder.int32();
  const errorCode = decoder.int16();
  const errorMessage = decoder.compactString();
  const lockTimeoutMs = decoder.int32();
  const partitions: ShareAcknowledgePartition[] = [];
  decoder.compactArray(() => {
    const topicId = decoder.uuid();
    decoder.compactArray(() => {
      partitions.push({
        topicId,
        partition: decoder.int32(),
        errorCode: decoder.int16(),
        errorMessage: decoder.compactString(),
        ...readLeader(decoder),
      });
      decoder.tags();
    });
    decoder.tags();
  });
  return { throttleTimeMs, errorCode, errorMessage, lockTimeoutMs, partitions };
}
