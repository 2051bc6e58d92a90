/** Where `make install` has put the programs of the stack. */
import { globSync } from 'node:fs';
import path from 'node:path';

const packageFolder = path.resolve(import.meta.dirname, '../..');
const jvm = path.join(packageFolder, 'jvm');

/** The class path of Kafka. */
export const kafkaClassPath = path.join(jvm, 'lib', '*');

/** The classes of a running Kafka as the JVM keeps them, so that a start need not read and check them again; made by `make install`. */
export const kafkaClassArchive = path.join(jvm, 'lib', 'kafka-classes.jsa');

/** The JVM option that sets how Kafka logs. */
export const kafkaLogOption = `-Dlog4j2.configurationFile=${path.join(jvm, 'log4j2.yaml')}`;

/** The registry's runnable jar. */
export function registryJar(): string {
  return installed(path.join(jvm, 'registry', 'apicurio-registry-app-*-runner.jar'));
}

/** The Redis servers that came from Maven for this architecture; the static one last, it needs no OpenSSL. */
export function bundledRedisServers(): string[] {
  const architectures = process.arch === 'arm64' ? ['arm64'] : ['amd64', '386'];
  return architectures.flatMap((architecture) =>
    globSync(path.join(jvm, 'redis', `redis-server-*-linux-${architecture}`)),
  );
}

/** The MongoDB-wire server. */
export function mongoServer(): string {
  return installed(path.join(packageFolder, 'bin', 'embedded-mongo'));
}

/** The S3 server. */
export function s3Server(): string {
  return installed(path.join(packageFolder, 'bin', 'embedded-s3'));
}

function installed(pattern: string): string {
  const [found] = globSync(pattern);
  if (found === undefined) throw new Error(`${pattern} is missing: run \`make install\` first`);
  return found;
}
