import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { startBroker } from './broker.ts';
import { kafkaClassArchive } from './process/artifacts.ts';
import { freePorts } from './testing/freePorts.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';
import { useBroker } from './useBroker.ts';

describe("the broker's class archive", function () {
  // Two starts, and the archive is written by one thread.
  this.timeout(240_000);
  const stateDir = temporaryFolder();

  it('is written as a broker ends, by one that was used', async () => {
    const archive = path.join(stateDir, 'classes.jsa');
    const [port = 0, controllerPort] = await freePorts(2);
    const broker = await startBroker({ stateDir, port, controllerPort, archiveClassesTo: archive });
    await useBroker(broker.address);
    await broker.stop();
    expect((await stat(archive)).size).to.be.above(10_000_000);
  });

  it('is what a broker starts from', async () => {
    const [port = 0, controllerPort] = await freePorts(2);
    const broker = await startBroker({ stateDir, port, controllerPort });
    const mapped = readFileSync(`/proc/${broker.pid}/maps`, 'utf8');
    await broker.stop();
    expect(mapped).to.include(kafkaClassArchive);
  });
});
