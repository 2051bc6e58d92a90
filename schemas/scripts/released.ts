import { existsSync, readdirSync } from 'node:fs';
import { type RecordSchema, readSources, type Sources, sharedRecords } from './avroSources.ts';
import { buildSchema } from './buildSchema.ts';

export const releasedFolder = new URL('../released/', import.meta.url);

/** The schemas of the released versions as they were registered: version → record → schema. */
export function readReleased(): ReadonlyMap<string, Sources> {
  const versions = existsSync(releasedFolder) ? readdirSync(releasedFolder).sort() : [];
  return new Map(versions.map((version) => [version, readSources(new URL(`${version}/`, releasedFolder))]));
}

/** The schemas as they would be registered now: record → schema that stands alone. */
export function buildAll(sources: Sources): ReadonlyMap<string, RecordSchema> {
  const shared = sharedRecords(sources);
  const names = [...sources.keys()].filter((name) => !shared.has(name));
  return new Map(names.map((name) => [name, buildSchema(sources, name)]));
}
