import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { s3Server } from './process/artifacts.ts';
import type { Program } from './process/program.ts';
import { type Server, startServer } from './server.ts';

/** The one account of the server, and the bucket that it makes. */
export interface S3Account {
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface S3Options extends S3Account {
  /** The server's own folder. Made where it is missing. */
  readonly stateDir: string;
  readonly port: number;
  /** `<stateDir>/s3.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface S3 extends Server {
  readonly url: string;
}

/** Starts a server of the S3 API (Versity's S3 gateway on a folder) and resolves when it answers. */
export async function startS3(options: S3Options): Promise<S3> {
  return Object.assign(await startServer(s3Program(options)), { url: s3Url(options.port) });
}

/** The address of an embedded S3 server, as clients want it. */
export function s3Url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** The S3 server as a program. */
export function s3Program({ stateDir, port, logFile, bucket, region, accessKey, secretKey }: S3Options): Program {
  const folder = path.resolve(stateDir);
  return {
    name: 's3',
    port,
    logFile: logFile ?? path.join(folder, 's3.log'),
    async prepare() {
      await mkdir(folder, { recursive: true });
      return {
        file: s3Server(),
        args: [`127.0.0.1:${port}`, region, folder, bucket],
        env: { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
        cwd: folder,
      };
    },
    async ready() {
      const response = await fetch(`${s3Url(port)}/healthz`, { signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.ok;
    },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    readyTimeoutMs: 30_000,
  };
}
