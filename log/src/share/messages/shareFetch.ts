import type { Decoder } from '../../wire/decoder.ts';
import type { Request, Response } from '../../wire/request.ts';
import { type TopicAcknowledgements, writeAcknowledgements } from './acknowledgementBatches.ts';
import { type CurrentLeader, readLeader, type ShareAnswer } from './shareAnswer.ts';

/** How the broker acquires (KIP-1206): whole batches until there are `maxRecords` or more, or never more than those. */
export const acquireModes = { batches: 0, recordLimit: 1 } as const;

/** How many records to acquire, and how. */
export interface Acquisition {
  readonly mode: (typeof acquireModes)[keyof typeof acquireModes];
  readonly maxRecords: number;
  /** Of how many records the broker is to keep account together, as far as batches allow that. */
  readonly batchSize: number;
}

export interface ShareFetch extends Acquisition {
  readonly group: string;
  readonly memberId: string;
  readonly sessionEpoch: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Partitions to add to the session, and those with acknowledgements. */
  readonly topics: readonly TopicAcknowledgements[];
  /** Partitions to take out of the session. */
  readonly forgotten: readonly { readonly topicId: Buffer; readonly partitions: readonly number[] }[];
}

export interface AcquiredRange {
  readonly first: number;
  readonly last: number;
  readonly deliveryCount: number;
}

export interface ShareFetchPartition extends CurrentLeader {
  readonly topicId: Buffer;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly acknowledgeErrorCode: number;
  readonly acknowledgeErrorMessage: string | null;
  /** Record batches; they may hold more than what was acquired. */
  readonly records: Buffer | null;
  readonly acquired: readonly AcquiredRange[];
}

export interface ShareFetchResponse extends Response, ShareAnswer {
  readonly partitions: readonly ShareFetchPartition[];
}

/** ShareFetch (78) v2: acquires records, with the acknowledgements of earlier ones. */
export function shareFetch(fetch: ShareFetch): Request<ShareFetchResponse> {
  return {
    apiKey: 78,
    apiVersion: 2,
    name: 'ShareFetch',
    flexible: true,
    mayTakeMs: fetch.maxWaitMs,
    encode(encoder) {
      encoder
        .compactString(fetch.group)
        .compactString(fetch.memberId)
        .int32(fetch.sessionEpoch)
        .int32(fetch.maxWaitMs)
        .int32(1)
        .int32(fetch.maxBytes)
        .int32(fetch.maxRecords)
        .int32(fetch.batchSize)
        .int8(fetch.mode)
        .boolean(false);
      writeAcknowledgements(encoder, fetch.topics);
      encoder
        .compactArray(fetch.forgotten, ({ topicId, partitions }) =>
          encoder
            .uuid(topicId)
            .compactArray(partitions, (partition) => encoder.int32(partition))
            .noTags(),
        )
        .noTags();
    },
    decode,
  };
}

function decode(decoder: Decoder): ShareFetchResponse {
  const throttleTimeMs = decoder.int32();
  const errorCode = decoder.int16();
  const errorMessage = decoder.compactString();
  const lockTimeoutMs = decoder.int32();
  const partitions: ShareFetchPartition[] = [];
  decoder.compactArray(() => {
    const topicId = decoder.uuid();
    decoder.compactArray(() => {
      partitions.push(decodePartition(decoder, topicId));
    });
    decoder.tags();
  });
  // node endpoints follow: leaders are looked up in the cluster's metadata instead
  return { throttleTimeMs, errorCode, errorMessage, lockTimeoutMs, partitions };
}

function decodePartition(decoder: Decoder, topicId: Buffer): ShareFetchPartition {
  const partition = decoder.int32();
  const errorCode = decoder.int16();
  const errorMessage = decoder.compactString();
  const acknowledgeErrorCode = decoder.int16();
  const acknowledgeErrorMessage = decoder.compactString();
  const { leaderId, leaderEpoch } = readLeader(decoder);
  const records = decoder.compactBytes();
  const acquired = decoder.compactArray(() => {
    const range = { first: decoder.int64(), last: decoder.int64(), deliveryCount: decoder.int16() };
    decoder.tags();
    return range;
  });
  decoder.tags();
  return {
    topicId,
    partition,
    errorCode,
    errorMessage,
    acknowledgeErrorCode,
    acknowledgeErrorMessage,
    leaderId,
    leaderEpoch,
    records,
    acquired,
  };
}
