import avro from 'avsc';
import { type AvroType, isOptional, type RecordSchema } from './avroSources.ts';

/**
 * What keeps a schema from being FULL compatible with a released one, a sentence each; none if it is. Both are built
 * (they stand alone). Checked against every released version this is FULL_TRANSITIVE: whoever has any version reads
 * what any version has written.
 *
 * avsc's resolution answers for Avro's own rules, both ways. It does not look at defaults that changed nor at logical
 * types: two versions would then read one record as different values, which Avro allows and this contract does not.
 */
export function incompatibilities(released: RecordSchema, current: RecordSchema): readonly string[] {
  const faults = [...unreadable(current, released, 'the new version cannot read the released one')];
  faults.push(...unreadable(released, current, 'the released version cannot read the new one'));
  for (const [path, before] of fieldsOf(released)) {
    const now = fieldsOf(current).get(path);
    if (now === undefined) continue;
    if (JSON.stringify(now.default) !== JSON.stringify(before.default)) {
      faults.push(`${path}: its default was ${JSON.stringify(before.default)} and is ${JSON.stringify(now.default)}`);
    }
    if (logicalTypeOf(now.type) !== logicalTypeOf(before.type)) {
      faults.push(`${path}: its logical type was ${logicalTypeOf(before.type)} and is ${logicalTypeOf(now.type)}`);
    }
  }
  return faults;
}

function unreadable(reader: RecordSchema, writer: RecordSchema, what: string): readonly string[] {
  try {
    typeOf(reader).createResolver(typeOf(writer));
    return [];
  } catch (error) {
    return [`${reader.name}: ${what}: ${(error as Error).message}`];
  }
}

function typeOf(schema: RecordSchema): avro.Type {
  return avro.Type.forSchema(schema as unknown as avro.Schema);
}

interface FieldMeaning {
  readonly type: AvroType;
  readonly default: unknown;
}

/** The fields of a record and of the records within it, by path. A shared record counts where it is written out. */
function fieldsOf(record: RecordSchema, path = record.name): ReadonlyMap<string, FieldMeaning> {
  const fields = new Map<string, FieldMeaning>();
  for (const field of record.fields) {
    const at = `${path}.${field.name}`;
    fields.set(at, { type: field.type, default: field.default });
    const inner = isOptional(field.type) ? field.type[1] : field.type;
    if (typeof inner === 'object' && 'fields' in inner) {
      for (const [innerPath, meaning] of fieldsOf(inner, at)) fields.set(innerPath, meaning);
    }
  }
  return fields;
}

function logicalTypeOf(type: AvroType): string {
  const inner = isOptional(type) ? type[1] : type;
  return typeof inner === 'object' && 'logicalType' in inner ? inner.logicalType : 'none';
}
