import type { RecordName } from './generated/records.ts';
import { schemaTexts } from './generated/schemaTexts.ts';

export { recordNames } from './generated/records.ts';
export { schemaTexts };

/** The namespace of every record of the contract. */
export const namespace = 'io.taskflow.events';

/** The schema to publish for a record: JSON text that stands alone, without references. */
export function schemaText(name: RecordName): string {
  return schemaTexts[name];
}

/** The registry's subject for a record, whatever topic it is written to: its full name (RecordNameStrategy). */
export function subjectOf(name: RecordName): string {
  return `${namespace}.${name}`;
}
