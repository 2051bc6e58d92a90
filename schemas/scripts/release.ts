/**
 * Writes the schemas, as they are registered, and the .proto files to `schemas/released/<version>`: from then on they bind every
 * later version.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readSources } from './avroSources.ts';
import { buildAll, releasedFolder } from './released.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const folder = new URL(`${version}/`, releasedFolder);
if (existsSync(folder)) {
  console.error(
    `schemas/released/${version} exists, and what is released never changes: raise the version in schemas/package.json`,
  );
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
for (const [name, schema] of buildAll(readSources())) {
  writeFileSync(new URL(`${name}.avsc`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
cpSync(new URL('../proto/taskflow/', import.meta.url), new URL('proto/taskflow/', folder), { recursive: true });
