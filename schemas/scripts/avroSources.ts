import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What an Avro schema may be in `schemas/avro`: a subset of Avro that every generator here understands. */
export type AvroType =
  | string
  | { readonly type: 'string' | 'long'; readonly logicalType: string }
  | { readonly type: 'array'; readonly items: AvroType }
  | readonly ['null', AvroType]
  | RecordSchema;

export interface FieldSchema {
  readonly name: string;
  readonly type: AvroType;
  readonly doc: string;
  readonly default?: unknown;
}

export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc: string;
  readonly fields: readonly FieldSchema[];
}

/** The contract: one record a file, shared records named by their short name. */
export type Sources = ReadonlyMap<string, RecordSchema>;

export const avroFolder = new URL('../avro/', import.meta.url);

/** Reads `schemas/avro`, in alphabetical order, and checks that each file holds the record that it is named after. */
export function readSources(folder: URL = avroFolder): Sources {
  const sources = new Map<string, RecordSchema>();
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  for (const file of files.sort()) {
    const schema = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordSchema;
    if (schema.name !== basename(file, '.avsc')) {
      throw new Error(`schemas/avro/${file} holds the record ${schema.name}: name the file after its record`);
    }
    sources.set(schema.name, schema);
  }
  return sources;
}

/** Whether a type is a list of null and one other, which is how every optional field is written. */
export function isOptional(type: AvroType): type is readonly ['null', AvroType] {
  return Array.isArray(type);
}

/** The short names of the records that other records refer to: they have no subject of their own in the registry. */
export function sharedRecords(sources: Sources): ReadonlySet<string> {
  const shared = new Set<string>();
  const visit = (type: AvroType): void => {
    if (typeof type === 'string') {
      if (sources.has(type)) shared.add(type);
    } else if (isOptional(type)) visit(type[1]);
    else if (type.type === 'array') visit(type.items);
  };
  for (const source of sources.values()) for (const field of source.fields) visit(field.type);
  return shared;
}
