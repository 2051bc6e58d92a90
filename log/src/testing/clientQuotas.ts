import type { Cluster } from '../cluster.ts';
import { throwIfError } from '../errors.ts';
import type { Request, Response } from '../wire/request.ts';

/** Bytes a second, or percents of one thread's time (`request_percentage`). */
export type ClientQuotas = Readonly<
  Partial<Record<'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage', number>>
>;

interface QuotasAltered extends Response {
  readonly errors: readonly { readonly code: number; readonly message: string | null }[];
}

/** Sets what a broker lets the clients of an id have. They need a moment to come into force. */
export async function setClientQuotas(cluster: Cluster, clientId: string, quotas: ClientQuotas): Promise<void> {
  const { errors } = await cluster.request('any', alterClientQuotas(clientId, quotas));
  for (const { code, message } of errors) throwIfError(code, `Quotas of client ${clientId}`, message);
}

/** AlterClientQuotas (49) v1 (KIP-546). */
function alterClientQuotas(clientId: string, quotas: ClientQuotas): Request<QuotasAltered> {
  return {
    apiKey: 49,
    apiVersion: 1,
    name: 'AlterClientQuotas',
    flexible: true,
    encode: (encoder) =>
      encoder
        .compactArray([clientId], (name) =>
          encoder
            .compactArray(['client-id'], (type) => encoder.compactString(type).compactString(name).noTags())
            .compactArray(Object.entries(quotas), ([key, value]) =>
              encoder.compactString(key).raw(float64(value)).boolean(false).noTags(),
            )
            .noTags(),
        )
        .boolean(false)
        .noTags(),
    decode: (decoder) => ({
      throttleTimeMs: decoder.int32(),
      errors: decoder.compactArray(() => {
        const error = { code: decoder.int16(), message: decoder.compactString() };
        decoder.compactArray(() => {
          decoder.compactString();
          decoder.compactString();
          decoder.tags();
        });
        decoder.tags();
        return error;
      }),
    }),
  };
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
