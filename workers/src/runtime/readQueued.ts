import { type Codec, UnknownSchemaError } from '@taskflow/schemas/codec';
import type { TaskflowRecord, TaskQueued } from '@taskflow/schemas/events';
import type { Priority } from '@taskflow/schemas/topics';
import type { DeliveredRecord } from './ports.ts';

/** What a record of a queue says, or why it cannot be run. */
export type Reading =
  | { readonly queued: TaskQueued }
  /** Written with a schema that is not known here yet: learn it and read again. */
  | { readonly unknownSchema: number }
  | { readonly reject: 'undecodable' | 'misplaced'; readonly error: unknown };

/** Reads a record of the queue of a type and priority. */
export function readQueued(codec: Codec, record: DeliveredRecord, type: string, priority: Priority): Reading {
  let decoded: TaskflowRecord;
  try {
    if (record.value === null) throw new Error('It has no value');
    decoded = codec.decode(record.value);
  } catch (error) {
    if (error instanceof UnknownSchemaError) return { unknownSchema: error.schemaId };
    return { reject: 'undecodable', error };
  }
  if (decoded.event === 'TaskQueued' && decoded.type === type && decoded.priority === priority)
    return { queued: decoded };
  const what = decoded.event === 'TaskQueued' ? `A task of ${decoded.type}.${decoded.priority}` : `A ${decoded.event}`;
  return { reject: 'misplaced', error: new Error(`${what} does not belong into the queue ${type}.${priority}`) };
}
