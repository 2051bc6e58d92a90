/**
 * Makes the broker's class archive (application class data sharing), as a part of `make install`: with it the JVM finds its
 * classes parsed and verified, and a broker starts for much less CPU time (docs/decisions/0120). A broker runs for some seconds in a
 * temporary folder, is used a little, so that the classes behind its requests are in the archive, too, and writes it as it ends.
 *
 * Without the archive, or with one of another JVM or other jars, a broker starts as ever, only slower.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBroker } from './broker.ts';
import { kafkaClassArchive } from './process/artifacts.ts';
import { freePorts } from './process/freePorts.ts';
import { useBroker } from './useBroker.ts';

const stateDir = await mkdtemp(path.join(tmpdir(), 'taskflow-classes-'));
// Beside its place, so that nobody ever finds half of it: a JVM crashes on that.
const unfinished = `${kafkaClassArchive}.${randomUUID()}`;
try {
  const [port = 0, controllerPort] = await freePorts(2);
  const broker = await startBroker({ stateDir, port, controllerPort, archiveClassesTo: unfinished });
  try {
    await useBroker(broker.address);
  } finally {
    await broker.stop();
  }
  await rename(unfinished, kafkaClassArchive);
} finally {
  await rm(unfinished, { force: true });
  await rm(stateDir, { recursive: true, force: true });
}
