import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

/** What every response used here carries (KIP-219): how long to send nothing on this connection. */
export interface Response {
  readonly throttleTimeMs: number;
}

/** One request of the Kafka protocol, with how to read its answer. */
export interface Request<T extends Response> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly name: string;
  /** Flexible versions (KIP-482) have tagged fields in both headers. */
  readonly flexible: boolean;
  /** The answer's header; differs from `flexible` in ApiVersions alone, whose answer a client of any age must be able to read. */
  readonly flexibleResponse?: boolean;
  /** Time that the broker may take on purpose (a long poll), added to the connection's request time-out. */
  readonly mayTakeMs?: number;
  encode(encoder: Encoder): void;
  decode(decoder: Decoder): T;
}

/** The request with length, header and body, as buffers for one gathered write. */
export function encodeRequest(request: Request<Response>, correlationId: number, clientId: string): readonly Buffer[] {
  const encoder = new Encoder();
  encoder.int32(0).int16(request.apiKey).int16(request.apiVersion).int32(correlationId).string(clientId);
  if (request.flexible) encoder.noTags();
  request.encode(encoder);
  const parts = encoder.parts();
  parts[0]!.writeInt32BE(encoder.size - 4, 0);
  return parts;
}

/** Reads the answer to `request` from the bytes after the correlation id. */
export function decodeResponse<T extends Response>(request: Request<T>, payload: Buffer): T {
  const decoder = new Decoder(payload);
  if (request.flexibleResponse ?? request.flexible) decoder.tags();
  return request.decode(decoder);
}
