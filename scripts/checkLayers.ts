/**
 * Holds the repository to its layers: which package may depend on which (docs/architecture.md, "Layers"),
 * and that no package reaches into another's inside (only the top-level files of `<package>/src` are public).
 *
 * Prints one line for each broken rule and exits 1, or nothing and exits 0.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each package may import directly; what those include, it may import too. */
const directDependencies: Record<string, readonly string[]> = {
  schemas: [],
  core: ['schemas'],
  log: ['schemas'],
  service: ['log'],
  api: ['core', 'service'],
  projector: ['core', 'service'],
  orchestrator: ['core', 'service'],
  workers: ['core', 'service'],
  kafka: ['log'],
  embedded: ['kafka'],
  // Programs around the system, not parts of it: they may start and read all of it.
  bench: ['api', 'projector', 'orchestrator', 'workers', 'embedded'],
  e2e: ['embedded', 'core', 'service'],
};

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const folderOf = (name: string): string => (name === 'kafka' || name === 'embedded' ? `infra/${name}` : name);

function allowedFor(name: string): Set<string> {
  const allowed = new Set<string>([name]);
  const visit = (dependency: string): void => {
    if (allowed.has(dependency)) return;
    allowed.add(dependency);
    for (const next of directDependencies[dependency] ?? []) visit(next);
  };
  for (const dependency of directDependencies[name] ?? []) visit(dependency);
  return allowed;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => path.join(folder, file));
}

/** Tests may start the stack they run against. */
const allowedInTests = allowedFor('embedded');

const importPattern = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
const broken: string[] = [];

for (const name of Object.keys(directDependencies)) {
  const folder = path.join(root, folderOf(name));
  const allowed = allowedFor(name);
  for (const file of sourceFiles(folder)) {
    // Benchmarks make their data as tests do.
    const isTest = name === 'bench' || /\.test\.ts$|\/testing\//.test(file);
    const shown = path.relative(root, file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(importPattern)) {
      if (specifier.startsWith('.')) {
        if (!path.resolve(path.dirname(file), specifier).startsWith(`${folder}${path.sep}`)) {
          broken.push(`${shown}: imports ${specifier}, which lies outside its package; import the package by name`);
        }
        continue;
      }
      const [, target = '', inside = ''] = /^@taskflow\/([^/]+)\/?(.*)$/.exec(specifier) ?? [];
      if (target === '') continue;
      if (!allowed.has(target) && !(isTest && allowedInTests.has(target))) {
        broken.push(`${shown}: imports ${specifier}; ${name} may depend on ${[...allowed].join(', ')} only`);
      }
      const isTestingHelper = isTest && inside.startsWith('testing/');
      if (inside.includes('/') && target !== name && !isTestingHelper) {
        broken.push(`${shown}: imports ${specifier}, inside of ${target}; only top-level files of its src are public`);
      }
    }
  }
}

for (const line of broken) console.error(line);
process.exitCode = broken.length === 0 ? 0 : 1;
