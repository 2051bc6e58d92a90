import type avro from 'avsc';
import { UnencodableError } from '../codecErrors.ts';
import type { RecordName, TaskflowRecord } from '../generated/records.ts';
import { headerBytes, writeHeader } from '../wireFormat.ts';
import { recordType } from './recordTypes.ts';

const slabBytes = 64 * 1024;

/**
 * Gives the function that writes records in wire format. Values are cut one after the other from slabs of 64 KiB, as
 * Node cuts small buffers from its pool: one allocation serves hundreds of records, and nothing is copied.
 */
export function createEncoder(ids: ReadonlyMap<RecordName, number>): (record: TaskflowRecord) => Buffer {
  const writers = new Map<string, Writer>();
  for (const [name, id] of ids) writers.set(name, { id, type: recordType(name) });
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let used = 0;

  return function encode(record) {
    const writer = writers.get(record.event);
    if (writer === undefined) throw new UnencodableError(`${record.event} has no schema id: publish its schema first`);
    let end = write(writer.type, record, slab, used + headerBytes);
    while (end < 0) {
      // Avro does not tell a value's size before it is written; avsc tells by how much the slab was too short.
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, slab.length - used - end));
      used = 0;
      end = write(writer.type, record, slab, headerBytes);
    }
    const start = used;
    writeHeader(slab, start, writer.id);
    used = end;
    return slab.subarray(start, end);
  };
}

interface Writer {
  readonly id: number;
  readonly type: avro.Type;
}

/** Writes the body at a position, and gives its end; where the buffer is too short, minus the bytes that are missing. */
function write(type: avro.Type, record: TaskflowRecord, buffer: Buffer, position: number): number {
  try {
    return type.encode(record, buffer, position);
  } catch (error) {
    throw new UnencodableError(whatIsWrong(type, record), { cause: error });
  }
}

/** avsc's own message does not name the field. */
function whatIsWrong(type: avro.Type, record: TaskflowRecord): string {
  let fault = 'does not fit its schema';
  type.isValid(record, {
    errorHook: (path, value, expected) => {
      fault = `.${path.join('.')} is ${JSON.stringify(value) ?? 'undefined'}, not ${describe(expected)}`;
    },
  });
  return `${record.event}${fault}`;
}

function describe(type: avro.Type): string {
  return type.name ?? JSON.stringify(type.schema());
}
