import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { freePorts } from '../testing/freePorts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { until } from '../testing/until.ts';
import { identify, isAlive } from './procfs.ts';

describe('the guard', () => {
  const logs = temporaryFolder();

  it('ends the servers and removes the folders of a process that was killed', async () => {
    const [port = 0] = await freePorts(1);
    const main = path.join(import.meta.dirname, '../testing/guardedParent.ts');
    const parent = spawn(process.execPath, ['--conditions=taskflow-source', main, logs, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { value: line = '' } = await createInterface({ input: parent.stdout })[Symbol.asyncIterator]().next();
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    const server = identify(pid)!;
    expect(existsSync(folder)).to.equal(true);

    parent.kill('SIGKILL');
    await until(() => !isAlive(server) && !existsSync(folder));
  });
});
