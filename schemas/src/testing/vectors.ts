import type { TaskflowRecord } from '../events.ts';
import type { RecordedEvent, TaskState } from '../fold.ts';

/** Where the vectors lie that every implementation of the contract is held to: see the README there. */
export const conformanceFolder = new URL('../../conformance/', import.meta.url);

/** `fold.json` and `fold-random.json`: given the events, in any order, then the state; and what of them did not count. */
export interface FoldVectors {
  readonly cases: readonly {
    readonly name: string;
    readonly given: readonly RecordedEvent[];
    readonly then: TaskState;
    /** The event ids of the timeline, in its order. */
    readonly timeline: readonly string[];
    readonly notCounted: readonly string[];
  }[];
}

/** `codec.json`: values in wire format, in hexadecimal. */
export interface CodecVectors {
  /** Written by this version's schema: to be read, and to be written byte for byte. */
  readonly records: readonly {
    readonly name: string;
    readonly schemaId: number;
    readonly record: JsonRecord;
    readonly value: string;
  }[];
  /** Written by another version's schema: to be read in the shape of this version. */
  readonly evolved: readonly {
    readonly name: string;
    readonly schemaId: number;
    readonly writerSchema: unknown;
    readonly value: string;
    readonly record: JsonRecord;
  }[];
  /** Not to be read: `schemaId` is known as that of the record named. */
  readonly undecodable: readonly {
    readonly name: string;
    readonly schemaId: number;
    readonly event: string;
    readonly value: string;
  }[];
}

/** A record as JSON: bytes are hexadecimal text. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function recordToJson(record: TaskflowRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('hex') : value]),
  );
}

export function recordFromJson(json: JsonRecord): TaskflowRecord {
  const record = { ...json };
  if (record.event === 'PoisonRecord') {
    for (const name of ['key', 'value'])
      if (typeof record[name] === 'string') record[name] = Buffer.from(record[name], 'hex');
  }
  return record as unknown as TaskflowRecord;
}
