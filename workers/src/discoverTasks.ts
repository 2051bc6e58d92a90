import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AnyTaskDefinition } from './defineTask.ts';

const fromSource = import.meta.url.endsWith('.ts');

/** Where the task types of this repository lie: as TypeScript beside `src`, compiled within `dist`. */
export const tasksFolder = fileURLToPath(new URL(fromSource ? '../tasks/' : './tasks/', import.meta.url));

/**
 * Loads every task type of a folder: each folder in it that has a `task` file, whose default export is the definition.
 * So a new type is a new folder, and is named nowhere else. Sorted by name.
 */
export async function discoverTasks(folder: string = tasksFolder): Promise<AnyTaskDefinition[]> {
  const definitions: AnyTaskDefinition[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = ['task.ts', 'task.js']
      .map((name) => path.join(folder, entry.name, name))
      .find((name) => existsSync(name));
    if (!entry.isDirectory() || file === undefined) continue;
    const { default: definition } = (await import(pathToFileURL(file).href)) as { default?: AnyTaskDefinition };
    if (typeof definition?.run !== 'function') throw new Error(`${file} has no default export made by defineTask`);
    if (definition.type !== entry.name) {
      throw new Error(`${file} defines the type ${definition.type}; a type lies in the folder of its name`);
    }
    definitions.push(definition);
  }
  return definitions;
}
