import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { isAlive } from '../process/procfs.ts';
import { freePorts } from '../testing/freePorts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { until } from '../testing/until.ts';
import { endProcesses } from './endProcesses.ts';
import { livingProcesses, readRunRecord } from './runRecord.ts';

describe('startCommand', () => {
  const folder = temporaryFolder();
  let ports: number[];
  before(async () => {
    ports = await freePorts(2);
  });
  afterEach(async () => {
    const record = readRunRecord(folder);
    if (record === undefined) return;
    if (isAlive(record.starter)) process.kill(record.starter.pid, 'SIGKILL');
    await endProcesses(livingProcesses(record));
  });

  /** Starts the two tiny programs by a starter of their own. */
  const start = () => {
    const main = path.join(import.meta.dirname, '../testing/tinyStarter.ts');
    const args = ['--conditions=taskflow-source', main, folder, ...ports.map(String)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ready = async () => {
      await until(() => output.includes('TaskFlow Hub is ready') || child.exitCode !== null);
      expect(output).to.include('TaskFlow Hub is ready');
    };
    return { child, ended, output: () => output, ready };
  };
  const living = () => livingProcesses(readRunRecord(folder)!).map(({ name }) => name);

  it('shows its progress, ends with a line to copy, stays, and ends everything when asked', async () => {
    const starter = start();
    await starter.ready();
    expect(starter.output()).to.match(/^ {2}database +127\.0\.0\.1:\d+ +\d+\.\d s\n {2}service /m);
    expect(starter.output().trimEnd().split('\n').at(-1)).to.match(/^curl -s http:.* -d '\{"type":"noop",.*\}'$/);
    expect(living()).to.deep.equal(['database', 'service']);
    starter.child.kill('SIGINT');
    expect(await starter.ended).to.equal(0);
    expect(living()).to.deep.equal([]);
  });

  it('refuses to start beside a living one, and leaves that alone', async () => {
    const first = start();
    await first.ready();
    const second = start();
    expect(await second.ended).to.equal(1);
    expect(second.output()).to.match(/^TaskFlow Hub runs already on .*\(pid \d+\); `make stop` ends it\n$/);
    expect(living()).to.deep.equal(['database', 'service']);
  });

  it('ends what a killed starter has left, and starts', async () => {
    const first = start();
    await first.ready();
    const left = livingProcesses(readRunRecord(folder)!);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(left.every(isAlive)).to.equal(true);

    const second = start();
    await second.ready();
    expect(second.output()).to.match(/^Ending what a killed start has left: database \(\d+\), service \(\d+\)$/m);
    expect(left.some(isAlive)).to.equal(false);
    expect(living()).to.deep.equal(['database', 'service']);
  });

  it('says which port is taken, and starts nothing', async () => {
    const stranger = net.createServer();
    await new Promise<void>((resolve) => stranger.listen(ports[1], '127.0.0.1', resolve));
    const starter = start();
    expect(await starter.ended).to.equal(1);
    stranger.close();
    expect(starter.output()).to.match(/^port \d+ is taken: .* TASKFLOW_API_PORT to another\n$/);
    expect(living()).to.deep.equal([]);
  });
});
