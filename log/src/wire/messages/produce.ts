import type { Decoder } from '../decoder.ts';
import type { Request, Response } from '../request.ts';

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** One record batch: a request carries no more of a partition. */
  readonly batch: Buffer;
}

export interface PartitionProduced {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Offset of the batch's first record. */
  readonly baseOffset: number;
  /** The broker's time stamp, -1 where the topic keeps those of producers. */
  readonly appendTime: number;
  /** The records for which the whole batch was refused, where the broker names them (KIP-467). */
  readonly recordErrors: readonly { readonly index: number; readonly message: string | null }[];
}

export interface ProduceResponse extends Response {
  readonly partitions: readonly PartitionProduced[];
}

export const produceApiKey = 0;
const allInSyncReplicas = -1;

/** Produce (0) v12 with acks=all. The broker waits up to `timeoutMs` for the in-sync replicas. */
export function produce(batches: readonly PartitionBatch[], timeoutMs: number): Request<ProduceResponse> {
  const byTopic = Map.groupBy(batches, (batch) => batch.topic);
  return {
    apiKey: produceApiKey,
    apiVersion: 12,
    name: 'Produce',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactString(null)
        .int16(allInSyncReplicas)
        .int32(timeoutMs)
        .compactArray([...byTopic], ([topic, ofTopic]) =>
          encoder
            .compactString(topic)
            .compactArray(ofTopic, ({ partition, batch }) => encoder.int32(partition).compactRecords([batch]).noTags())
            .noTags(),
        )
        .noTags(),
    decode,
  };
}

function decode(decoder: Decoder): ProduceResponse {
  const partitions = decoder
    .compactArray(() => {
      const topic = decoder.compactString() ?? '';
      const ofTopic = decoder.compactArray(() => decodePartition(decoder, topic));
      decoder.tags();
      return ofTopic;
    })
    .flat();
  return { partitions, throttleTimeMs: decoder.int32() };
}

function decodePartition(decoder: Decoder, topic: string): PartitionProduced {
  const partition = decoder.int32();
  const errorCode = decoder.int16();
  const baseOffset = decoder.int64();
  const appendTime = decoder.int64();
  decoder.int64();
  const recordErrors = decoder.compactArray(() => {
    const recordError = { index: decoder.int32(), message: decoder.compactString() };
    decoder.tags();
    return recordError;
  });
  const errorMessage = decoder.compactString();
  decoder.tags();
  return { topic, partition, errorCode, errorMessage, baseOffset, appendTime, recordErrors };
}
