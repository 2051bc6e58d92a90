import type { Request, Response } from '../request.ts';

export interface InitProducerIdResponse extends Response {
  readonly errorCode: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}

const noProducer = -1;
/** Has no meaning without a transactional id, but must be positive. */
const transactionTimeoutMs = 60_000;

/** InitProducerId (22) v4: a new id for an idempotent producer without transactions (KIP-98). Any broker gives one. */
export const initProducerId: Request<InitProducerIdResponse> = {
  apiKey: 22,
  apiVersion: 4,
  name: 'InitProducerId',
  flexible: true,
  encode: (encoder) =>
    encoder.compactString(null).int32(transactionTimeoutMs).int64(noProducer).int16(noProducer).noTags(),
  decode: (decoder) => ({
    throttleTimeMs: decoder.int32(),
    errorCode: decoder.int16(),
    producerId: decoder.int64(),
    producerEpoch: decoder.int16(),
  }),
};
