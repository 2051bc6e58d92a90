import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { LogRecord } from '@taskflow/log/logRecord';
import type { Registry } from '@taskflow/log/registry';
import { UndecodableError, UnknownRecordError, UnknownSchemaError } from '@taskflow/schemas/codec';
import type { RecordName, TaskflowRecord } from '@taskflow/schemas/events';
import type { Logger } from './logger.ts';

/** A record of the log, and what its value says. */
export interface DecodedRecord<E> {
  readonly record: LogRecord;
  readonly event: E;
}

/** A record whose value nobody can read. */
export interface UndecodableRecord {
  readonly record: LogRecord;
  readonly reason: string;
  /** The schema id in its first five bytes; null where they are none. */
  readonly schemaId: number | null;
}

export interface DecodedBatch<E> {
  /** What concerns the consumer, in order. */
  readonly events: readonly DecodedRecord<E>[];
  readonly undecodable: readonly UndecodableRecord[];
}

/** Decodes a batch; a promise only where a schema must be learned first. */
export type Decoding<E> = (records: readonly LogRecord[]) => DecodedBatch<E> | Promise<DecodedBatch<E>>;

export interface DecodingOptions<E> {
  readonly registry: Registry;
  /** Decides by the first five bytes, or by the record's key, whether a body is decoded at all; all are if absent. Asked in order. */
  readonly wants?: (name: RecordName, record: LogRecord) => boolean;
  /** The event, where it concerns the consumer. Throws `UndecodableError` where it cannot be what its writer meant. */
  readonly select: (decoded: TaskflowRecord, record: LogRecord) => E | undefined;
  readonly logger: Logger;
  /** Ends waiting for the registry. */
  readonly signal: AbortSignal;
}

const REGISTRY_BACKOFF = { baseMs: 400, capMs: 10_000 };

/**
 * Decodes what a consumer reads. A schema that is not known here is learned from the registry first; while that is away the
 * batch waits, since what a newer producer wrote is no poison. A schema id that the registry does not have is.
 */
export function createDecoding<E>(options: DecodingOptions<E>): Decoding<E> {
  const { registry, wants, select, logger, signal } = options;
  const { codec } = registry;

  function decode(record: LogRecord): E | undefined {
    if (record.value === null) throw new UndecodableError('it has no value');
    const name = wants && codec.nameOf(record.value);
    if (name !== undefined && !wants?.(name, record)) return undefined;
    return select(codec.decode(record.value), record);
  }

  return (records) => {
    const events: DecodedRecord<E>[] = [];
    const undecodable: UndecodableRecord[] = [];
    /** Ids that the registry does not have, or whose schema cannot be read here. */
    const unreadable = new Set<number>();
    let next = 0;

    /** Goes on to the end, or to a record whose schema must be learned first, and gives its id. */
    const advance = (): number | undefined => {
      for (; next < records.length; next++) {
        const record = records[next]!;
        try {
          const event = decode(record);
          if (event !== undefined) events.push({ record, event });
        } catch (error) {
          if (error instanceof UnknownRecordError) continue;
          if (error instanceof UnknownSchemaError && !unreadable.has(error.schemaId)) return error.schemaId;
          undecodable.push({ record, reason: reasonOf(error), schemaId: schemaIdOf(record) });
        }
      }
      return undefined;
    };

    const unknown = advance();
    if (unknown === undefined) return { events, undecodable };
    return (async () => {
      for (let id: number | undefined = unknown; id !== undefined; id = advance()) {
        if (!(await learn(id))) unreadable.add(id);
      }
      return { events, undecodable };
    })();
  };

  async function learn(schemaId: number): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await registry.learn(schemaId);
      } catch (error) {
        logger.warn('The registry is away, records of an unknown schema wait', { schemaId, error });
        await delay(backoffMs(attempt, REGISTRY_BACKOFF), undefined, { signal });
      }
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof UndecodableError) return error.reason;
  if (error instanceof UnknownSchemaError) return `the registry has no schema ${error.schemaId} that can be read here`;
  return error instanceof Error ? error.message : String(error);
}

function schemaIdOf({ value }: LogRecord): number | null {
  return value !== null && value.length >= 5 && value[0] === 0 ? value.readUInt32BE(1) : null;
}
