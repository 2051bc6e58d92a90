import path from 'node:path';
import { readSources } from './avroSources.ts';
import { checkHeads } from './eventHead.ts';
import { eventsPage } from './eventsPage.ts';
import { goFiles } from './goTypes.ts';
import { protoFiles } from './protoTypes.ts';
import { typescriptFiles } from './typescriptTypes.ts';

/** A folder with generated files in it. */
export interface GeneratedFolder {
  readonly url: URL;
  /** Whether a file of that name is generated (and to be removed when nothing generates it any more). */
  readonly owns: (fileName: string) => boolean;
  /** File name → text, as generated from the contract as it is now. */
  readonly files: ReadonlyMap<string, string>;
}

/** All that is generated here from `schemas/avro` and `schemas/proto`. What is checked in must equal it: a test compares. */
export function generatedFolders(): readonly GeneratedFolder[] {
  const sources = readSources();
  checkHeads(sources);
  return [
    {
      url: new URL('../src/generated/', import.meta.url),
      owns: (fileName) => fileName.endsWith('.ts'),
      files: typescriptFiles(sources),
    },
    {
      url: new URL('../go/', import.meta.url),
      owns: (fileName) => fileName.endsWith('_gen.go'),
      files: goFiles(sources),
    },
    {
      url: new URL('../../docs/', import.meta.url),
      owns: (fileName) => fileName === 'events.md',
      files: new Map([['events.md', eventsPage(sources)]]),
    },
    ...protoFolders(),
  ];
}

/** The TypeScript of `schemas/proto` lies in folders, as its packages do. Its Go code is the business of `proto/generate`. */
function protoFolders(): GeneratedFolder[] {
  const byFolder = Map.groupBy(protoFiles(), ([file]) => path.dirname(file));
  return [...byFolder].map(([folder, files]) => ({
    url: new URL(`../src/generated/proto/${folder}/`, import.meta.url),
    owns: (fileName) => fileName.endsWith('.ts'),
    files: new Map(files.map(([file, text]) => [path.basename(file), text])),
  }));
}
