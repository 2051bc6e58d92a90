import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BrokerSettings, embeddedBrokerSettings, toProperties } from '@taskflow/kafka/brokerSettings';
import { kafkaClassArchive, kafkaClassPath, kafkaLogOption } from './process/artifacts.ts';
import { askPort } from './process/probe.ts';
import type { Program } from './process/program.ts';
import { type Server, startServer } from './server.ts';

export interface BrokerOptions {
  /** The broker's own folder: settings, data, log. Made where it is missing. */
  readonly stateDir: string;
  /** Port for clients. */
  readonly port: number;
  /** Port for the KRaft quorum; the next one after `port` unless given. */
  readonly controllerPort?: number | undefined;
  readonly nodeId?: number | undefined;
  /** Replace or add to the settings of `@taskflow/kafka/brokerSettings`. */
  readonly extraProperties?: BrokerSettings | undefined;
  /** Where to write a class archive as it ends in order (`archiveClasses.ts`). Otherwise it starts from the one of `make install`. */
  readonly archiveClassesTo?: string | undefined;
  /** `<stateDir>/kafka.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface Broker extends Server {
  /** `host:port`, as clients want it. */
  readonly address: string;
}

/** One cluster id for all embedded brokers, so that a data folder can be moved, and brokers join into one cluster. */
const clusterId = '4L6g3nShT-eMCtK--X86sw';

/**
 * The first compiler alone, for as long as the broker lives. The second one takes as long as two million tasks to earn back the CPU time that it
 * costs (docs/decisions/0121).
 */
const quickCompiler = '-XX:TieredStopAtLevel=1';

/** The heap in pages of 2 MB, where the kernel lets programs ask for them; without, a warning in the log (docs/decisions/0135). */
const largePages = '-XX:+UseTransparentHugePages';

/**
 * All that waits for the broker waits for its collections, so both cores see to them. What outlives two mostly lives long: to copy it
 * thirteen times more is a pause for nothing (docs/decisions/0141).
 */
const shortCollections = ['-XX:+UseParallelGC', '-XX:MaxTenuringThreshold=2'];

/** An archive that is missing, or was made by another JVM or of other jars, is passed over. */
const fromClassArchive = `-XX:SharedArchiveFile=${kafkaClassArchive}`;

/** What `flock` answers where another process holds the lock; none of the JVM's own exit codes. */
const lockedExitCode = 75;

/** Starts a real Kafka broker (KRaft, one process) for a test, and resolves when it answers. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const server = await startServer(brokerProgram(options));
  return Object.assign(server, { address: `127.0.0.1:${options.port}` });
}

/** The broker as a program. */
export function brokerProgram(options: BrokerOptions): Program {
  const stateDir = path.resolve(options.stateDir);
  const { port, controllerPort = port + 1, nodeId = 1, extraProperties, archiveClassesTo } = options;
  const dataDir = path.join(stateDir, 'data');
  const propertiesFile = path.join(stateDir, 'server.properties');
  return {
    name: 'kafka',
    port,
    logFile: options.logFile ?? path.join(stateDir, 'kafka.log'),
    async prepare() {
      await mkdir(stateDir, { recursive: true });
      const settings = { ...embeddedBrokerSettings({ nodeId, port, controllerPort, dataDir }), ...extraProperties };
      await writeFile(propertiesFile, toProperties(settings));
      if (!existsSync(path.join(dataDir, 'meta.properties'))) await formatStorage(propertiesFile);
      return {
        // The JVM inherits the lock, so it is held exactly as long as the broker lives, whoever started it: two brokers
        // on one folder can hang both.
        file: 'flock',
        args: [
          ...['--nonblock', '--no-fork', '--conflict-exit-code', String(lockedExitCode), path.join(stateDir, 'lock')],
          ...['java', '-Xms256m', '-Xmx512m', '-Djava.awt.headless=true', kafkaLogOption],
          ...[quickCompiler, largePages, ...shortCollections],
          archiveClassesTo === undefined ? fromClassArchive : `-XX:ArchiveClassesAtExit=${archiveClassesTo}`,
          ...['-cp', kafkaClassPath, 'kafka.Kafka', propertiesFile],
        ],
        cwd: stateDir,
      };
    },
    ready: () => answersMetadata(port),
    explainExit: (code) =>
      code === lockedExitCode ? `kafka was not started: another broker runs on ${stateDir}` : undefined,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: archiveClassesTo === undefined ? 15_000 : 180_000,
    readyTimeoutMs: 180_000,
  };
}

async function formatStorage(propertiesFile: string): Promise<void> {
  const storageTool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile];
  await promisify(execFile)('java', [
    quickCompiler,
    fromClassArchive,
    kafkaLogOption,
    '-cp',
    kafkaClassPath,
    ...storageTool,
  ]);
}

/** Whether the broker answers a Metadata request (version 4, all topics) and is registered with its controller. */
async function answersMetadata(port: number): Promise<boolean> {
  const clientId = Buffer.from('ready');
  const request = Buffer.concat([
    Buffer.from([0, 3, 0, 4, 0, 0, 0, 1, 0, clientId.length]),
    clientId,
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0]),
  ]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(request.length);
  const answer = await askPort(
    port,
    Buffer.concat([size, request]),
    (bytes) => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0),
  );
  // Behind size, correlation id and throttle time stands the number of brokers.
  return answer.readInt32BE(12) > 0;
}
