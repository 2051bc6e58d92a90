import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type GeneratedFolder, generatedFolders } from './generatedFiles.ts';

/** Writes what is generated from the contract, and removes what nothing in it accounts for any more. */
function write(folder: GeneratedFolder): void {
  mkdirSync(folder.url, { recursive: true });
  for (const name of readdirSync(folder.url)) {
    if (folder.owns(name) && !folder.files.has(name)) rmSync(new URL(name, folder.url));
  }
  for (const [name, text] of folder.files) writeFileSync(new URL(name, folder.url), text);
}

for (const folder of generatedFolders()) write(folder);
