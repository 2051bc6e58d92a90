import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const protoFolder = fileURLToPath(new URL('../proto/', import.meta.url));

/** What `@grpc/proto-loader` is told wherever it reads a contract, here for the types and in a client for the values. */
const typeOptions = ['--longs=Number', '--defaults', '--oneofs', '--includeComments', '--importFileExtension=.ts'];

/**
 * The TypeScript of `schemas/proto`: path below `src/generated/proto/` → text. For each .proto file the types, by the generator of
 * `@grpc/proto-loader`, and `<name>Descriptor.ts`, the contract as JSON, so that a client need not find the .proto file.
 */
export function protoFiles(): ReadonlyMap<string, string> {
  const sources = (readdirSync(protoFolder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.proto'))
    .sort();
  const files = new Map<string, string>();
  for (const [name, text] of generatedTypes(sources)) files.set(name, text);
  for (const source of sources) files.set(`${path.basename(source, '.proto')}Descriptor.ts`, descriptor(source));
  return files;
}

function generatedTypes(sources: readonly string[]): [string, string][] {
  const program = path.join(
    path.dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader')),
    '../bin/proto-loader-gen-types.js',
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'taskflow-proto-'));
  try {
    const args = [
      program,
      ...typeOptions,
      '--grpcLib=@grpc/grpc-js',
      `--includeDirs=${protoFolder}`,
      `--outDir=${folder}`,
    ];
    execFileSync(process.execPath, [...args, ...sources], { stdio: ['ignore', 'ignore', 'inherit'] });
    return (
      (readdirSync(folder, { recursive: true }) as string[])
        .filter((name) => name.endsWith('.ts'))
        // It writes where it has found the sources, which is elsewhere on each machine.
        .map((name) => [name, readFileSync(path.join(folder, name), 'utf8').replaceAll(protoFolder, 'schemas/proto/')])
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function descriptor(source: string): string {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => path.join(protoFolder, target);
  root.loadSync(source);
  const json = JSON.stringify(root.toJSON({ keepComments: false }), null, 2);
  // The types of protobufjs ask for comments of methods, which it does not write here.
  return `// Generated from schemas/proto/${source}.

import type { fromJSON } from '@grpc/proto-loader';

export const descriptor = ${json} as unknown as Parameters<typeof fromJSON>[0];
`;
}
