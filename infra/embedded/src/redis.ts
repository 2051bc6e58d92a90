import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundledRedisServers } from './process/artifacts.ts';
import { askPort } from './process/probe.ts';
import type { Program } from './process/program.ts';
import { type Server, startServer } from './server.ts';

export interface RedisOptions {
  /** The server's own folder. Made where it is missing. */
  readonly stateDir: string;
  readonly port: number;
  /** `<stateDir>/redis.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface Redis extends Server {
  readonly url: string;
}

/** Starts a Redis server and resolves when it answers. */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  return Object.assign(await startServer(redisProgram(options)), { url: `redis://127.0.0.1:${options.port}` });
}

/** Redis as a program: an installed one where there is one, otherwise the one that came with the stack's Maven artifacts. */
export function redisProgram({ stateDir, port, logFile }: RedisOptions): Program {
  const folder = path.resolve(stateDir);
  return {
    name: 'redis',
    port,
    logFile: logFile ?? path.join(folder, 'redis.log'),
    async prepare() {
      await mkdir(folder, { recursive: true });
      const settings = {
        port,
        bind: '127.0.0.1',
        dir: folder,
        // Nothing of record lies in Redis: a snapshot now and then, and one at an orderly end, keep what is convenient.
        save: [300, 1],
        appendonly: 'no',
        loglevel: 'warning',
      };
      return {
        file: await redisServer(),
        args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...[value].flat().map(String)]),
        cwd: folder,
      };
    },
    async ready() {
      const answer = await askPort(port, Buffer.from('PING\r\n'), (bytes) => bytes.includes('\r\n'));
      return answer.toString() === '+PONG\r\n';
    },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    readyTimeoutMs: 30_000,
  };
}

/** The first Redis server that can be executed here: the bundled one may lack its OpenSSL. */
async function redisServer(): Promise<string> {
  const bundled = bundledRedisServers();
  const attempts: string[] = [];
  for (const file of ['redis-server', ...bundled]) {
    try {
      if (path.isAbsolute(file)) await chmod(file, 0o755);
      await promisify(execFile)(file, ['--version']);
      return file;
    } catch (error) {
      attempts.push(`${file}: ${(error as Error).message.trim()}`);
    }
  }
  const hint = bundled.length === 0 ? 'run `make install`, or install redis-server' : 'install redis-server';
  throw new Error(`no Redis server can be executed here (${attempts.join('; ')}); ${hint}`);
}
