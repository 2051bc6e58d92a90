import type { Decoder } from '../decoder.ts';
import type { Request, Response } from '../request.ts';

export interface MetadataPartition {
  readonly errorCode: number;
  readonly partition: number;
  /** Broker id of the leader, -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
}

export interface MetadataTopic {
  readonly errorCode: number;
  readonly name: string | null;
  readonly id: Buffer;
  readonly partitions: readonly MetadataPartition[];
}

export interface MetadataBroker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface MetadataResponse extends Response {
  readonly brokers: readonly MetadataBroker[];
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly topics: readonly MetadataTopic[];
}

const noTopicId = Buffer.alloc(16);

/** Metadata (3) v12: brokers, and the topics named, with topic ids (KIP-516) and leader epochs. Never creates a topic. */
export function metadata(topics: readonly string[]): Request<MetadataResponse> {
  return {
    apiKey: 3,
    apiVersion: 12,
    name: 'Metadata',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactArray(topics, (topic) => encoder.uuid(noTopicId).compactString(topic).noTags())
        .boolean(false)
        .boolean(false)
        .noTags(),
    decode,
  };
}

function decode(decoder: Decoder): MetadataResponse {
  const throttleTimeMs = decoder.int32();
  const brokers = decoder.compactArray(() => {
    const broker = { id: decoder.int32(), host: decoder.compactString() ?? '', port: decoder.int32() };
    decoder.compactString();
    decoder.tags();
    return broker;
  });
  const clusterId = decoder.compactString();
  const controllerId = decoder.int32();
  const topics = decoder.compactArray(() => decodeTopic(decoder));
  decoder.tags();
  return { throttleTimeMs, brokers, clusterId, controllerId, topics };
}

function decodeTopic(decoder: Decoder): MetadataTopic {
  const errorCode = decoder.int16();
  const name = decoder.compactString();
  const id = Buffer.from(decoder.uuid());
  decoder.boolean();
  const partitions = decoder.compactArray(() => {
    const partition = {
      errorCode: decoder.int16(),
      partition: decoder.int32(),
      leader: decoder.int32(),
      leaderEpoch: decoder.int32(),
      replicas: decoder.compactArray(() => decoder.int32()),
      inSyncReplicas: decoder.compactArray(() => decoder.int32()),
    };
    decoder.compactArray(() => decoder.int32());
    decoder.tags();
    return partition;
  });
  decoder.int32();
  decoder.tags();
  return { errorCode, name, id, partitions };
}
