import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A worker whose handlers do what payloads say, in one of the languages of workers. Both take the same payloads and variables. */
export interface ProbeProgram {
  readonly language: string;
  /** The command that runs it. What that needs is made, and removed by `remove`. */
  prepare(): Promise<{ readonly file: string; readonly args: readonly string[]; remove(): Promise<void> }>;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));

export const typescriptProbe: ProbeProgram = {
  language: 'TypeScript',
  prepare: async () => ({
    file: process.execPath,
    args: [
      '--conditions=taskflow-source',
      '--disable-warning=TimeoutNegativeWarning',
      path.join(repository, 'workers/src/testing/workerProgram.ts'),
    ],
    remove: async () => {},
  }),
};

export const goProbe: ProbeProgram = {
  language: 'Go',
  prepare: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'taskflow-probe-'));
    const file = path.join(folder, 'probe-worker');
    await promisify(execFile)('go', ['build', '-o', file, './internal/probeworker'], {
      cwd: path.join(repository, 'go-workers'),
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    return { file, args: [], remove: () => rm(folder, { recursive: true, force: true }) };
  },
};
