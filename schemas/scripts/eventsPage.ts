import {
  type AvroType,
  type FieldSchema,
  isOptional,
  type RecordSchema,
  type Sources,
  sharedRecords,
} from './avroSources.ts';
import { hasHead, headFields } from './eventHead.ts';

/** `docs/events.md`: each record and field with its documentation, for people. */
export function eventsPage(sources: Sources): string {
  const shared = sharedRecords(sources);
  const records = [...sources.values()];
  const events = records.filter(hasHead);
  const others = records.filter((record) => !hasHead(record) && !shared.has(record.name));
  const head = events[0]?.fields.slice(0, headFields.length) ?? [];
  return [
    '<!-- Generated from schemas/avro by `make generate`. Change the .avsc file, not this one. -->\n# Events\n',
    'What lies on the topics, field by field. How to read it, which topic holds what, and the rules of change: `schemas/README.md`.\n',
    `## The head\nThe first fields of every event of a task, in this order.\n\n${table(head)}`,
    `## Events of a task\n\n${events.map((record) => section(record, record.fields.slice(headFields.length))).join('\n')}`,
    `## Other records\n\n${others.map((record) => section(record, record.fields)).join('\n')}`,
    `## Shared records\nParts of the records above.\n\n${[...shared]
      .sort()
      .map((name) => section(sources.get(name)!, sources.get(name)!.fields))
      .join('\n')}`,
  ].join('\n');
}

function section(record: RecordSchema, fields: readonly FieldSchema[]): string {
  return `### ${record.name}\n${record.doc}\n\n${table(fields)}`;
}

function table(fields: readonly FieldSchema[]): string {
  const rows = fields.map(
    (field) => `| \`${field.name}\` | ${typeText(field.type)} | ${defaultText(field)} | ${field.doc} |\n`,
  );
  return `| field | type | default | |\n|---|---|---|---|\n${rows.join('')}`;
}

function typeText(type: AvroType): string {
  if (typeof type === 'string') return /^[A-Z]/.test(type) ? `[${type}](#${type.toLowerCase()})` : type;
  if (isOptional(type)) return `${typeText(type[1])} or null`;
  if (type.type === 'array') return `array of ${typeText(type.items)}`;
  return 'logicalType' in type ? `${type.logicalType} (${type.type})` : type.name;
}

function defaultText(field: FieldSchema): string {
  return field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
}
