import { type AvroType, isOptional, type RecordSchema, type Sources } from './avroSources.ts';

/**
 * The schema as it is registered: it stands alone, each shared record written out where it is first used (Avro's
 * own rule for a named type) and named from then on. Stock clients read it without asking the registry for references.
 */
export function buildSchema(sources: Sources, name: string): RecordSchema {
  const written = new Set<string>();
  const inline = (type: AvroType): AvroType => {
    if (typeof type === 'string') {
      const shared = sources.get(type);
      return shared === undefined || written.has(type) ? type : inlineRecord(shared);
    }
    if (isOptional(type)) return ['null', inline(type[1])];
    if (type.type === 'array') return { type: 'array', items: inline(type.items) };
    return type;
  };
  const inlineRecord = (record: RecordSchema): RecordSchema => {
    written.add(record.name);
    return { ...record, fields: record.fields.map((field) => ({ ...field, type: inline(field.type) })) };
  };
  const source = sources.get(name);
  if (source === undefined) throw new Error(`schemas/avro has no record ${name}`);
  return inlineRecord(source);
}
