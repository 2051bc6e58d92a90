import { type AvroType, isOptional, type RecordSchema, type Sources, sharedRecords } from './avroSources.ts';
import { buildSchema } from './buildSchema.ts';
import { hasHead, headFields } from './eventHead.ts';

// The form that Go's tools know generated code by.
const banner = '// Code generated from schemas/avro by `make generate`. DO NOT EDIT.\n\npackage schemas\n';

/** The Go half of the contract: file name → text, all in `schemas/go`, as gofmt would have it. */
export function goFiles(sources: Sources): ReadonlyMap<string, string> {
  const shared = sharedRecords(sources);
  return new Map([
    ['records_gen.go', recordsFile(sources, shared)],
    ['schema_texts_gen.go', schemaTextsFile(sources, shared)],
  ]);
}

function recordsFile(sources: Sources, shared: ReadonlySet<string>): string {
  const written = [...sources.values()].filter((record) => !shared.has(record.name));
  return [
    banner,
    constants(written),
    headStruct(sources),
    ...[...sources.values()].map((record) => recordStruct(record, sources)),
    ...written.map(
      ({ name }) =>
        `\n// RecordName tells the records apart.\nfunc (*${name}) RecordName() RecordName { return Name${name} }\n`,
    ),
    newRecord(written),
  ].join('');
}

function constants(written: readonly RecordSchema[]): string {
  const one = ({ name }: RecordSchema): string =>
    `\n// Name${name} is the name of [${name}].\nconst Name${name} RecordName = "${name}"\n`;
  const list = written.map(({ name }) => `\tName${name},\n`).join('');
  return `${written.map(one).join('')}\n// RecordNames are the records that are written to topics.\nvar RecordNames = []RecordName{\n${list}}\n`;
}

function headStruct(sources: Sources): string {
  const event = [...sources.values()].find(hasHead);
  if (event === undefined) throw new Error('schemas/avro has no event that begins with the head');
  const fields = event.fields.slice(0, headFields.length);
  return struct('Head', 'Head holds the first fields of every event of a task.', [], fields, sources);
}

function recordStruct(record: RecordSchema, sources: Sources): string {
  const withHead = hasHead(record);
  const own = withHead ? record.fields.slice(headFields.length) : record.fields;
  return struct(record.name, `${record.name}: ${record.doc}`, withHead ? ['\tHead\n'] : [], own, sources);
}

/** Fields stand a line apart, so that gofmt has nothing to align. */
function struct(
  name: string,
  doc: string,
  embedded: readonly string[],
  fields: RecordSchema['fields'],
  sources: Sources,
): string {
  const lines = fields.map((field) => {
    const tag = `\`avro:"${field.name}" json:"${field.name}"\``;
    return `\t// ${field.doc}\n\t${goName(field.name)} ${goType(field.type, sources)} ${tag}\n`;
  });
  return `\n// ${doc}\ntype ${name} struct {\n${[...embedded, ...lines].join('\n')}}\n`;
}

function newRecord(written: readonly RecordSchema[]): string {
  const cases = written.map(({ name }) => `\tcase Name${name}:\n\t\treturn &${name}{}\n`).join('');
  return `\n// newRecord gives an empty record to decode into; nil for a name that is none.\nfunc newRecord(name RecordName) Record {\n\tswitch name {\n${cases}\t}\n\treturn nil\n}\n`;
}

function schemaTextsFile(sources: Sources, shared: ReadonlySet<string>): string {
  const names = [...sources.keys()].filter((name) => !shared.has(name));
  const cases = names.map((name) => {
    const text = JSON.stringify(buildSchema(sources, name));
    if (text.includes('`')) throw new Error(`${name}: a doc holds a backquote, which a Go raw string cannot`);
    return `\tcase Name${name}:\n\t\treturn \`${text}\`\n`;
  });
  const doc =
    "// SchemaText is a record's schema as it is registered: JSON text that stands alone. Empty for a name that is none.\n";
  return `${banner}\n${doc}func SchemaText(name RecordName) string {\n\tswitch name {\n${cases.join('')}\t}\n\treturn ""\n}\n`;
}

/** Go's spelling: exported, initialisms in capitals. */
function goName(name: string): string {
  const exported = name[0]!.toUpperCase() + name.slice(1);
  return exported
    .replace(/Id(?=$|[A-Z])/, 'ID')
    .replace(/^Ttl/, 'TTL')
    .replace(/^Sha256$/, 'SHA256');
}

function goType(type: AvroType, sources: Sources): string {
  if (typeof type === 'string') {
    if (sources.has(type)) return type;
    const primitive = primitives.get(type);
    if (primitive === undefined) throw new Error(`No Go type is known for the Avro type ${type}`);
    return primitive;
  }
  if (isOptional(type)) return `*${goType(type[1], sources)}`;
  if (type.type === 'array') return `[]${goType(type.items, sources)}`;
  return goType(type.type, sources);
}

const primitives = new Map([
  ['string', 'string'],
  ['int', 'int32'],
  ['long', 'int64'],
  ['double', 'float64'],
  ['boolean', 'bool'],
  ['bytes', '[]byte'],
]);
