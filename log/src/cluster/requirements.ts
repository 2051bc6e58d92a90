import { UnsupportedBrokerError } from '../errors.ts';
import type { ApiVersionsResponse } from '../wire/messages/apiVersions.ts';

const shareFetchKey = 78;
/** v2 has the record-limit mode (KIP-1206) and lock renewal (KIP-1222). */
const shareFetchVersion = 2;

/** Throws unless the broker has share groups (KIP-932), switched on, as new as the queue consumer needs them. */
export function requireShareGroups(broker: string, { apis, features }: ApiVersionsResponse): void {
  const range = apis.get(shareFetchKey);
  if (!range || range.max < shareFetchVersion) {
    throw new UnsupportedBrokerError(
      `Kafka broker ${broker} has no share groups as new as needed (ShareFetch ${range ? `only up to version ${range.max}` : 'is missing'}): TaskFlow Hub needs Kafka 4.2 or newer`,
    );
  }
  if ((features.get('share.version') ?? 0) < 1) {
    throw new UnsupportedBrokerError(
      `Kafka broker ${broker} has share groups switched off: run "kafka-features.sh --bootstrap-server ${broker} upgrade --feature share.version=1"`,
    );
  }
}
