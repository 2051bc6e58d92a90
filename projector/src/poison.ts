import type { Appender, AppendRecord } from '@taskflow/log/appender';
import type { Codec } from '@taskflow/schemas/codec';
import { poisonKey, poisonTopic } from '@taskflow/schemas/topics';
import type { UndecodableRecord } from '@taskflow/service/decoding';
import type { Logger } from '@taskflow/service/logger';
import type { Metrics } from '@taskflow/service/metrics';

const KEPT_OF_KEY = 1_024;
const KEPT_OF_VALUE = 65_536;

/** Writes records that nobody can read to `taskflow.poison`, with where they lie and why; resolves once all replicas have them. */
export function parkPoison(ports: { appender: Appender; codec: Codec; logger: Logger; metrics: Metrics }) {
  const { appender, codec, logger, metrics } = ports;
  const parked = metrics.counter('poison_records_total', 'Undecodable records parked on taskflow.poison.', ['topic']);
  return async (records: readonly UndecodableRecord[]): Promise<void> => {
    await appender.append(records.map((each) => poisonRecord(codec, each)));
    for (const { record, reason, schemaId } of records) {
      const { topic, partition, offset } = record;
      parked.inc({ topic });
      logger.warn('An undecodable record was parked', { topic, partition, offset, schemaId, reason });
    }
  };
}

function poisonRecord(codec: Codec, { record, reason, schemaId }: UndecodableRecord): AppendRecord {
  const { topic, partition, offset, appendedAt, key, value } = record;
  const poison = codec.encode({
    event: 'PoisonRecord',
    topic,
    partition,
    offset,
    appendedAt,
    reason,
    schemaId,
    key: key?.subarray(0, KEPT_OF_KEY) ?? null,
    value: value?.subarray(0, KEPT_OF_VALUE) ?? null,
    size: value?.length ?? 0,
    occurredAt: Date.now(),
  });
  return { topic: poisonTopic, partition: 0, key: poisonKey(topic, partition, offset), value: poison };
}
