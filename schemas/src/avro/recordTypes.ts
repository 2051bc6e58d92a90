import avro from 'avsc';
import type { RecordName } from '../generated/records.ts';
import { schemaTexts } from '../generated/schemaTexts.ts';
import { boundedArrayHook } from './boundedArray.ts';
import { rememberedString } from './rememberedString.ts';

/** Parses a schema as every codec here does: unions unwrapped, logical types as their plain types, bounded arrays, strings with a memory. */
export function parseSchema(text: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(text) as avro.Schema, {
    omitRecordMethods: true,
    typeHook: (schema, options) => boundedArrayHook(schema, options) ?? rememberedString(schema),
  });
}

/** The type of a record of which one field is read and the rest passed over. */
export function fieldType(name: RecordName, field: string): avro.Type {
  const schema = JSON.parse(schemaTexts[name]) as { fields: readonly { name: string }[] };
  return parseSchema(JSON.stringify({ ...schema, fields: schema.fields.filter((each) => each.name === field) }));
}

const parsed = new Map<RecordName, avro.Type>();

/** avsc's type of a record in this version of the contract, parsed once in a process. */
export function recordType(name: RecordName): avro.Type {
  let type = parsed.get(name);
  if (type === undefined) {
    type = parseSchema(schemaTexts[name]);
    parsed.set(name, type);
  }
  return type;
}
