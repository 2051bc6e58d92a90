import type { RecordSchema, Sources } from './avroSources.ts';

/** The head of every event of a task: its first fields, in this order (DESIGN.md, "Topics and events"). */
export const headFields = [
  'taskId',
  'generation',
  'attempt',
  'workerId',
  'eventId',
  'userId',
  'type',
  'priority',
  'occurredAt',
  'runId',
  'stepId',
] as const;

/** A record is an event of a task if, and only if, it begins with the head. */
export function hasHead(record: RecordSchema): boolean {
  return headFields.every((name, index) => record.fields[index]?.name === name);
}

/** Throws unless the head's fields are written alike (type, doc, default) in every event. */
export function checkHeads(sources: Sources): void {
  let first: RecordSchema | undefined;
  for (const record of sources.values()) {
    if (!hasHead(record)) continue;
    first ??= record;
    for (const [index, name] of headFields.entries()) {
      if (JSON.stringify(record.fields[index]) !== JSON.stringify(first.fields[index])) {
        throw new Error(
          `${record.name}.${name} is not written as in ${first.name}: the head must be the same everywhere`,
        );
      }
    }
  }
}
