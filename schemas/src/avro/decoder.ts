import type avro from 'avsc';
import { UndecodableError, UnknownRecordError, UnknownSchemaError } from '../codecErrors.ts';
import { type RecordName, recordNames, type TaskflowRecord } from '../generated/records.ts';
import { namespace } from '../registered.ts';
import { headerBytes, schemaIdOf } from '../wireFormat.ts';
import { fieldType, parseSchema, recordType } from './recordTypes.ts';

/** How the values of one schema id are read. */
type Reader =
  | {
      readonly name: RecordName;
      readonly type: avro.Type;
      readonly writer: avro.Type;
      readonly resolver: avro.Resolver | undefined;
    }
  | { readonly name: undefined; readonly fullName: string };

export interface Decoder {
  decode(value: Buffer): TaskflowRecord;
  nameOf(value: Buffer): RecordName | undefined;
  learn(schemaId: number, writerSchema: string): string;
  fieldReader<Name extends RecordName, Field extends FieldOf<Name>>(name: Name, field: Field): FieldReader<Name, Field>;
}

/** The fields of a record. */
export type FieldOf<Name extends RecordName> = Exclude<keyof RecordOf<Name>, 'event'> & string;
/** Undefined for whatever is no such record, as far as it has been read. */
export type FieldReader<Name extends RecordName, Field extends FieldOf<Name>> = (
  value: Buffer,
) => RecordOf<Name>[Field] | undefined;
type RecordOf<Name extends RecordName> = Extract<TaskflowRecord, { event: Name }>;

export function createDecoder(ids: ReadonlyMap<RecordName, number>): Decoder {
  const readers = new Map<number, Reader>();
  for (const [name, id] of ids) {
    const type = recordType(name);
    readers.set(id, { name, type, writer: type, resolver: undefined });
  }

  function decode(value: Buffer): TaskflowRecord {
    const schemaId = schemaIdOf(value);
    if (schemaId === undefined) throw new UndecodableError('it does not begin with a magic 0 and a schema id');
    const reader = readers.get(schemaId);
    if (reader === undefined) throw new UnknownSchemaError(schemaId);
    if (reader.name === undefined) throw new UnknownRecordError(schemaId, reader.fullName);
    const record = read(reader.name, reader.type, reader.resolver, value) as { event?: RecordName };
    record.event = reader.name;
    return record as TaskflowRecord;
  }

  function nameOf(value: Buffer): RecordName | undefined {
    const schemaId = schemaIdOf(value);
    return schemaId === undefined ? undefined : readers.get(schemaId)?.name;
  }

  function learn(schemaId: number, writerSchema: string): string {
    const writer = parseSchema(writerSchema);
    const fullName = writer.name ?? writer.typeName;
    const name = recordNames.find((known) => `${namespace}.${known}` === fullName);
    if (name === undefined) {
      readers.set(schemaId, { name: undefined, fullName });
    } else {
      const type = recordType(name);
      readers.set(schemaId, { name, type, writer, resolver: type.createResolver(writer) });
    }
    return fullName;
  }

  function fieldReader<Name extends RecordName, Field extends FieldOf<Name>>(name: Name, field: Field) {
    const type = fieldType(name, field);
    const resolvers = new Map<number, avro.Resolver>();
    return (value: Buffer): RecordOf<Name>[Field] | undefined => {
      const schemaId = schemaIdOf(value);
      const reader = schemaId === undefined ? undefined : readers.get(schemaId);
      if (schemaId === undefined || reader?.name !== name) return undefined;
      let resolver = resolvers.get(schemaId);
      if (resolver === undefined) {
        resolver = type.createResolver(reader.writer);
        resolvers.set(schemaId, resolver);
      }
      try {
        const { value: decoded, offset } = type.decode(value, headerBytes, resolver);
        return offset < 0 ? undefined : (decoded as RecordOf<Name>)[field];
      } catch {
        return undefined;
      }
    };
  }

  return { decode, nameOf, learn, fieldReader };
}

function read(name: RecordName, type: avro.Type, resolver: avro.Resolver | undefined, value: Buffer): unknown {
  let decoded: { value: unknown; offset: number };
  try {
    decoded = type.decode(value, headerBytes, resolver);
  } catch (error) {
    throw new UndecodableError(`its body is no ${name}: ${(error as Error).message}`, { cause: error });
  }
  if (decoded.offset < 0) throw new UndecodableError(`its body ends in the middle of a ${name}`);
  if (decoded.offset !== value.length) {
    throw new UndecodableError(`${value.length - decoded.offset} bytes follow its ${name}`);
  }
  return decoded.value;
}
