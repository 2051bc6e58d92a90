import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { registryJar } from './process/artifacts.ts';
import type { Program } from './process/program.ts';
import { type Server, startServer } from './server.ts';

export interface RegistryOptions {
  /** The registry's own folder. Made where it is missing. */
  readonly stateDir: string;
  readonly port: number;
  /** `<stateDir>/registry.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface Registry extends Server {
  /** With the path of the Confluent API. */
  readonly url: string;
}

/** Starts a schema registry (Apicurio, speaking Confluent's API) and resolves when it answers. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  return Object.assign(await startServer(registryProgram(options)), { url: registryUrl(options.port) });
}

/** The address of an embedded registry, as clients want it. */
export function registryUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

/** The registry as a program. Its schemas lie in an H2 file, so it depends on no other server. */
export function registryProgram({ stateDir, port, logFile }: RegistryOptions): Program {
  const folder = path.resolve(stateDir);
  const url = registryUrl(port);
  return {
    name: 'registry',
    port,
    logFile: logFile ?? path.join(folder, 'registry.log'),
    async prepare() {
      await mkdir(folder, { recursive: true });
      return {
        file: 'java',
        args: [
          ...['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
          ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`, '-Dquarkus.log.level=WARN'],
          ...['-jar', registryJar()],
        ],
        env: {
          ...process.env,
          APICURIO_STORAGE_KIND: 'sql',
          APICURIO_STORAGE_SQL_KIND: 'h2',
          APICURIO_DATASOURCE_URL: `jdbc:h2:file:${path.join(folder, 'registry')}`,
        },
        cwd: folder,
      };
    },
    async ready() {
      const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.ok;
    },
    initialise: () => adoptConfluentDefault(url),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    readyTimeoutMs: 180_000,
  };
}

/** A new Apicurio checks no compatibility; a Confluent registry checks BACKWARD until told otherwise. */
async function adoptConfluentDefault(url: string): Promise<void> {
  const current = (await (await fetch(`${url}/config`)).json()) as { compatibilityLevel: string };
  if (current.compatibilityLevel !== 'NONE') return;
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
  });
  if (!response.ok) throw new Error(`PUT ${url}/config answered ${response.status}: ${await response.text()}`);
}
