import type { LogRecord } from '@taskflow/log/logRecord';
import type { DecodedBatch } from '../decoding.ts';

/** A log of numbers. A value that is no number cannot be decoded. */
export function numberRecords(from: number, values: readonly (number | string)[], topic = 'numbers'): LogRecord[] {
  return values.map((value, index) => ({
    topic,
    partition: 0,
    offset: from + index,
    key: null,
    value: Buffer.from(String(value)),
    appendedAt: 0,
    leaderEpoch: 0,
  }));
}

/** What they say. */
export function decodeNumbers(batch: readonly LogRecord[]): DecodedBatch<number> {
  const numbers = batch.map((record) => ({ record, event: Number(record.value) }));
  return {
    events: numbers.filter(({ event }) => !Number.isNaN(event)),
    undecodable: numbers
      .filter(({ event }) => Number.isNaN(event))
      .map(({ record }) => ({ record, reason: 'not a number', schemaId: null })),
  };
}
