import path from 'node:path';
import type { Program } from '../process/program.ts';

export interface TinyProgramOptions {
  readonly name: string;
  readonly port: number;
  /** Folder of its log. */
  readonly folder: string;
  /** `deaf` does not end on SIGTERM; `broken` ends by itself with code 3 before it is ready, `refusing` with code 75. */
  readonly behaviour?: 'sound' | 'deaf' | 'broken' | 'refusing';
  readonly stopTimeoutMs?: number;
}

/** A real program as small as can be: a Node process that answers HTTP on its port. */
export function tinyProgram(options: TinyProgramOptions): Program {
  const { name, port, folder, behaviour = 'sound', stopTimeoutMs = 5_000 } = options;
  const source = {
    sound: `require('node:http').createServer((_, answer) => answer.end('here')).listen(${port}, '127.0.0.1');`,
    deaf: `process.on('SIGTERM', () => {}); require('node:http').createServer((_, answer) => answer.end('here')).listen(${port}, '127.0.0.1');`,
    broken: `console.error('no settings found'); process.exit(3);`,
    refusing: `process.exit(75);`,
  }[behaviour];
  return {
    name,
    port,
    logFile: path.join(folder, `${name}.log`),
    prepare: async () => ({ file: process.execPath, args: ['-e', source] }),
    ready: async () => (await fetch(`http://127.0.0.1:${port}`)).ok,
    explainExit: (code) => (code === 75 ? `${name} refused` : undefined),
    stopSignal: 'SIGTERM',
    stopTimeoutMs,
    readyTimeoutMs: 20_000,
  };
}
