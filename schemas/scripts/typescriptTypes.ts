import { type AvroType, isOptional, type RecordSchema, type Sources, sharedRecords } from './avroSources.ts';
import { buildSchema } from './buildSchema.ts';
import { hasHead, headFields } from './eventHead.ts';

const banner = '// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.\n';

/** The TypeScript half of the contract: file name → text, all in `schemas/src/generated`. */
export function typescriptFiles(sources: Sources): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const shared = sharedRecords(sources);
  for (const record of sources.values()) files.set(`${record.name}.ts`, recordFile(sources, record, shared));
  files.set('TaskEventHead.ts', headFile(sources));
  files.set('records.ts', recordsFile(sources, shared));
  files.set('schemaTexts.ts', schemaTextsFile(sources, shared));
  return files;
}

function recordFile(sources: Sources, record: RecordSchema, shared: ReadonlySet<string>): string {
  const withHead = hasHead(record);
  const own = withHead ? record.fields.slice(headFields.length) : record.fields;
  const imports = new Set<string>(withHead ? ['TaskEventHead'] : []);
  for (const field of own) for (const name of recordsIn(field.type, sources)) imports.add(name);
  const lines = [banner];
  for (const name of [...imports].sort()) lines.push(`import type { ${name} } from './${name}.ts';\n`);
  lines.push(imports.size > 0 ? '\n' : '', docComment(record.doc, ''));
  lines.push(`export interface ${record.name}${withHead ? ' extends TaskEventHead' : ''} {\n`);
  if (!shared.has(record.name)) {
    lines.push('  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */\n');
    lines.push(`  readonly event: '${record.name}';\n`);
  }
  lines.push(fieldLines(own, sources), '}\n');
  return lines.join('');
}

function headFile(sources: Sources): string {
  const event = [...sources.values()].find(hasHead);
  if (event === undefined) throw new Error('schemas/avro has no event that begins with the head');
  const fields = event.fields.slice(0, headFields.length);
  const doc = 'The first fields of every event of a task.';
  return `${banner}\n${docComment(doc, '')}export interface TaskEventHead {\n${fieldLines(fields, sources)}}\n`;
}

function recordsFile(sources: Sources, shared: ReadonlySet<string>): string {
  const records = [...sources.values()].filter((record) => !shared.has(record.name));
  const names = records.map((record) => record.name);
  const events = records.filter(hasHead).map((record) => record.name);
  return [
    banner,
    ...names.map((name) => `import type { ${name} } from './${name}.ts';\n`),
    '\n/** Each record that is written to a topic, by its name. */\nexport interface RecordTypes {\n',
    ...names.map((name) => `  ${name}: ${name};\n`),
    '}\n\nexport type RecordName = keyof RecordTypes;\n\n/** Any record that is written to a topic. */\n',
    'export type TaskflowRecord = RecordTypes[RecordName];\n\n/** What happens to a task: the events that begin with the head. */\n',
    `export type TaskEvent =\n${events.map((name) => `  | ${name}`).join('\n')};\n\n`,
    `export const recordNames = [\n${names.map((name) => `  '${name}',\n`).join('')}] as const satisfies readonly RecordName[];\n\n`,
    `export const taskEventNames = [\n${events.map((name) => `  '${name}',\n`).join('')}] as const satisfies readonly TaskEvent['event'][];\n`,
  ].join('');
}

function schemaTextsFile(sources: Sources, shared: ReadonlySet<string>): string {
  const names = [...sources.keys()].filter((name) => !shared.has(name));
  const entry = (name: string): string => `  ${name}:\n    ${quoted(JSON.stringify(buildSchema(sources, name)))},\n`;
  return [
    banner,
    "import type { RecordName } from './records.ts';\n\n",
    '/** The schema of each record as it is registered: JSON text that stands alone. */\n',
    `export const schemaTexts: Readonly<Record<RecordName, string>> = {\n${names.map(entry).join('')}};\n`,
  ].join('');
}

function fieldLines(fields: RecordSchema['fields'], sources: Sources): string {
  return fields
    .map((field) => `${docComment(field.doc, '  ')}  readonly ${field.name}: ${typescriptType(field.type, sources)};\n`)
    .join('');
}

function typescriptType(type: AvroType, sources: Sources): string {
  if (typeof type === 'string') {
    if (sources.has(type)) return type;
    const primitive = primitives.get(type);
    if (primitive === undefined) throw new Error(`No TypeScript type is known for the Avro type ${type}`);
    return primitive;
  }
  if (isOptional(type)) return `${typescriptType(type[1], sources)} | null`;
  if (type.type === 'array') return `readonly ${typescriptType(type.items, sources)}[]`;
  return typescriptType(type.type, sources);
}

const primitives = new Map([
  ['string', 'string'],
  ['int', 'number'],
  ['long', 'number'],
  ['double', 'number'],
  ['boolean', 'boolean'],
  ['bytes', 'Buffer'],
]);

function recordsIn(type: AvroType, sources: Sources): readonly string[] {
  if (typeof type === 'string') return sources.has(type) ? [type] : [];
  if (isOptional(type)) return recordsIn(type[1], sources);
  return type.type === 'array' ? recordsIn(type.items, sources) : [];
}

function docComment(doc: string, indent: string): string {
  return `${indent}/** ${doc} */\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
