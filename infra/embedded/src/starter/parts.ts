/** Everything that runs, and what each part needs to be there before it. The system starts and stops by this table. */
import path from 'node:path';
import { brokerProgram } from '../broker.ts';
import { mongoDatabase, mongoProgram } from '../mongo.ts';
import { postgresProgram } from '../postgres.ts';
import type { Command, Program } from '../process/program.ts';
import { redisProgram } from '../redis.ts';
import { registryProgram, registryUrl } from '../registry.ts';
import { s3Program, s3Url } from '../s3.ts';
import { nodeCommand, programCommand, serviceProgram } from './service.ts';
import type { SystemPorts, SystemSettings } from './settings.ts';

interface PartBase {
  readonly name: string;
  /** The parts that must be ready (or done) before this one begins; it ends before they do. */
  readonly after: readonly string[];
}

/** A server or service that runs as long as the system does. */
export interface ProgramPart extends PartBase {
  readonly program: Program;
}

/** A command that does something once and ends. */
export interface JobPart extends PartBase {
  readonly job: Command;
  readonly logFile: string;
}

export type Part = ProgramPart | JobPart;

/** How long running tasks may go on when everything stops; less than a service's time for its orderly end. */
const workerGraceMs = 4_000;

/** Where the project's programs find the stack. */
export function stackEnvironment({ ports, postgresUrl, mongoDatabase, s3 }: SystemSettings) {
  return {
    TASKFLOW_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    TASKFLOW_REGISTRY_URL: registryUrl(ports.registry),
    TASKFLOW_POSTGRES_URL: postgresUrl,
    TASKFLOW_MONGO_URL: `mongodb://127.0.0.1:${ports.mongo}/${mongoDatabase}`,
    TASKFLOW_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    TASKFLOW_S3_URL: s3Url(ports.s3),
    TASKFLOW_S3_BUCKET: s3.bucket,
    TASKFLOW_S3_REGION: s3.region,
    TASKFLOW_S3_ACCESS_KEY: s3.accessKey,
    TASKFLOW_S3_SECRET_KEY: s3.secretKey,
  };
}

/** What the services are told, beside their own names and ports. */
export function systemEnvironment(settings: SystemSettings, developmentKey: string) {
  return {
    ...stackEnvironment(settings),
    TASKFLOW_API_PORT: String(settings.ports.api),
    TASKFLOW_STATE_DIR: settings.stateDir,
    TASKFLOW_DEV_KEY: developmentKey,
  };
}

/** The servers of the stack. `brief`: they survive a kill but no power cut; for tests. */
export function serverParts(settings: SystemSettings, { brief }: { readonly brief: boolean }): Part[] {
  const { stateDir, ports, postgresUrl } = settings;
  const place = (name: string) => ({ stateDir: path.join(stateDir, name), logFile: logFile(settings, name) });
  const server = (program: Program, ...after: string[]): Part => ({ name: program.name, after, program });
  return [
    server(brokerProgram({ ...place('kafka'), port: ports.kafka, controllerPort: ports.kafkaController })),
    server(postgresProgram({ ...place('postgres'), url: postgresUrl, databases: [mongoDatabase], fsync: !brief })),
    server(redisProgram({ ...place('redis'), port: ports.redis })),
    server(registryProgram({ ...place('registry'), port: ports.registry })),
    server(s3Program({ ...place('s3'), port: ports.s3, ...settings.s3 })),
    server(mongoProgram({ ...place('mongo'), port: ports.mongo, postgresUrl }), 'postgres'),
  ];
}

/** All parts of the system, the servers first; services get `environment`. */
export function systemParts(settings: SystemSettings, environment: NodeJS.ProcessEnv, { brief = false } = {}): Part[] {
  const { ports } = settings;
  const job = (name: string, main: string, ...after: string[]): Part => {
    return { name, after, job: nodeCommand(main, environment), logFile: logFile(settings, name) };
  };
  const service = (name: string, main: string, port: number, variables: object, ...after: string[]): Part => {
    const env = { ...environment, TASKFLOW_STATUS_PORT: String(port), ...variables };
    const command = (all: NodeJS.ProcessEnv) =>
      main.endsWith('.js') ? nodeCommand(main, all) : programCommand(main, all);
    return { name, after, program: serviceProgram({ name, command, port, env, logFile: logFile(settings, name) }) };
  };
  const prepared = ['topics', 'migrations', 'redis', 'mongo', 's3'];
  const worker = (name: string, main: string, port: number, more = {}): Part => {
    const variables = { TASKFLOW_WORKER_NAME: name, TASKFLOW_STOP_GRACE_MS: String(workerGraceMs), ...more };
    return service(name, main, port, variables, ...prepared);
  };

  const workers = Array.from({ length: settings.workers }, (_, index) => `worker-${index + 1}`);
  const goWorkers = Array.from({ length: settings.goWorkers }, (_, index) => `go-worker-${index + 1}`);
  const grpcPorts = goWorkers.map((_, index) => ports.grpc + index);
  const previewWorkers = { TASKFLOW_PREVIEW_WORKERS: grpcPorts.map((port) => `127.0.0.1:${port}`).join() };
  const afterWorkers = ports.status + 1 + workers.length;
  return [
    ...serverParts(settings, { brief }),
    job('topics', 'infra/kafka/dist/setUp.js', 'kafka', 'registry'),
    job('migrations', 'service/dist/migrate.js', 'postgres'),
    service('projector', 'projector/dist/main.js', ports.status, {}, ...prepared),
    ...workers.map((name, index) => worker(name, 'workers/dist/main.js', ports.status + 1 + index)),
    service('orchestrator', 'orchestrator/dist/main.js', afterWorkers, {}, ...prepared),
    ...goWorkers.map((name, index) => {
      const grpc = { TASKFLOW_GRPC_PORT: String(grpcPorts[index]) };
      return worker(name, 'go-workers/bin/go-worker', afterWorkers + 1 + index, grpc);
    }),
    service(
      'api',
      'api/dist/main.js',
      ports.api,
      previewWorkers,
      'projector',
      'orchestrator',
      ...workers,
      ...goWorkers,
    ),
  ];
}

function logFile({ logDir }: SystemSettings, name: string): string {
  return path.join(logDir, `${name}.log`);
}

/** The ports that the system listens on, each with the setting that moves it. */
export function portsInUse({
  ports,
  workers,
  goWorkers,
}: SystemSettings): { port: number; setting: keyof SystemPorts }[] {
  const { status, grpc, ...single } = ports;
  const named = Object.entries(single).map(([setting, port]) => ({ port, setting: setting as keyof SystemPorts }));
  const from = (setting: 'status' | 'grpc', first: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ port: first + index, setting }));
  return [...named, ...from('status', status, workers + goWorkers + 2), ...from('grpc', grpc, goWorkers)];
}
