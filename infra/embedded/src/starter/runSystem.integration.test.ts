import net from 'node:net';
import { expect } from 'chai';
import { StartError } from '../process/launch.ts';
import { isAlive } from '../process/procfs.ts';
import { freePorts } from '../testing/freePorts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { tinyProgram } from '../testing/tinyProgram.ts';
import { until } from '../testing/until.ts';
import type { Part } from './parts.ts';
import { livingProcesses, readRunRecord } from './runRecord.ts';
import { checkPorts, runSystem, type System } from './runSystem.ts';
import { settingsAt } from './settings.ts';

describe('runSystem', () => {
  const folder = temporaryFolder();
  const settings = settingsAt({ basePort: 20_000, stateDir: folder, workers: 1 });
  const shown: string[] = [];
  let system: System | undefined;
  beforeEach(() => shown.splice(0));
  afterEach(() => system?.stop());

  const run = (parts: readonly Part[]): System => {
    system = runSystem(settings, parts, {
      ready: ({ name }) => shown.push(`${name} ready`),
      ended: ({ name }, reason) => shown.push(`${name} ended: ${reason}`),
    });
    return system;
  };
  const failure = (of: System): Promise<unknown> => of.started.then(() => undefined).catch((error: unknown) => error);
  const job = (name: string, source: string, ...after: string[]): Part => ({
    name,
    after,
    job: { file: process.execPath, args: ['-e', source] },
    logFile: `${folder}/${name}.log`,
  });

  it('starts servers, does jobs, starts services; and records each process until it has ended', async () => {
    const [database = 0, service = 0] = await freePorts(2);
    const { started, stop, processes } = run([
      { name: 'database', after: [], program: tinyProgram({ name: 'database', port: database, folder }) },
      job('tables', '', 'database'),
      { name: 'service', after: ['tables'], program: tinyProgram({ name: 'service', port: service, folder }) },
    ]);
    await started;
    expect(shown).to.deep.equal(['database ready', 'tables ready', 'service ready']);
    expect(processes().map(({ name }) => name)).to.deep.equal(['database', 'service']);

    const record = readRunRecord(folder)!;
    expect(record.starter.pid).to.equal(process.pid);
    expect(livingProcesses(record).map(({ name, pid }) => ({ name, pid }))).to.deep.equal(processes());

    await stop();
    expect(processes()).to.deep.equal([]);
    expect(livingProcesses(readRunRecord(folder)!)).to.deep.equal([]);
  });

  it('records the process that was started again', async () => {
    const [port = 0] = await freePorts(1);
    const { started, processes } = run([
      { name: 'service', after: [], program: tinyProgram({ name: 'service', port, folder }) },
    ]);
    await started;
    const [first] = processes();
    process.kill(first!.pid, 'SIGKILL');
    await until(
      () => shown.includes('service ended: SIGKILL') && shown.filter((line) => line === 'service ready').length === 2,
    );
    const [second] = livingProcesses(readRunRecord(folder)!);
    expect(second?.pid).to.equal(processes()[0]?.pid).and.not.equal(first?.pid);
  });

  it('fails with what does not start, and leaves nothing running once stopped', async () => {
    const [database = 0, service = 0] = await freePorts(2);
    const failed = run([
      { name: 'database', after: [], program: tinyProgram({ name: 'database', port: database, folder }) },
      {
        name: 'service',
        after: ['database'],
        program: tinyProgram({ name: 'service', port: service, folder, behaviour: 'broken' }),
      },
    ]);
    expect(await failure(failed))
      .to.be.instanceOf(StartError)
      .with.property('message')
      .that.includes('no settings found');
    const [left] = livingProcesses(readRunRecord(folder)!);
    expect(left?.name).to.equal('database');
    await failed.stop();
    expect(isAlive(left!)).to.equal(false);
  });

  it('fails with a job that fails', async () => {
    const error = await failure(run([job('tables', 'console.log("syntax error in 003"); process.exit(1)')]));
    expect(error)
      .to.be.instanceOf(StartError)
      .with.property('message')
      .that.matches(/^tables failed \(exit code 1\)/);
    expect((error as Error).message).to.include('syntax error in 003');
  });

  it('can be stopped while it starts', async () => {
    const [slow = 0, next = 0] = await freePorts(2);
    const neverReady = { ...tinyProgram({ name: 'slow', port: slow, folder }), ready: async () => false };
    const starting = run([
      { name: 'slow', after: [], program: neverReady },
      { name: 'next', after: ['slow'], program: tinyProgram({ name: 'next', port: next, folder }) },
    ]);
    await until(() => starting.processes().length === 1);
    await starting.stop();
    expect(await failure(starting)).to.be.instanceOf(StartError);
    expect(readRunRecord(folder)!.processes.map(({ name }) => name)).to.deep.equal(['slow']);
    expect(livingProcesses(readRunRecord(folder)!)).to.deep.equal([]);
  });
});

describe('checkPorts', () => {
  let stranger: net.Server | undefined;
  afterEach(() => stranger?.close());

  for (const [setting, variable] of [
    ['kafka', 'TASKFLOW_KAFKA_BROKERS'],
    ['kafkaController', 'TASKFLOW_KAFKA_CONTROLLER_PORT'],
    ['api', 'TASKFLOW_API_PORT'],
  ] as const) {
    it(`names the taken port of ${setting} and the variable that moves it`, async () => {
      const [port = 0, ...free] = await freePorts(10);
      const settings = settingsAt({ basePort: 20_000, stateDir: '/nowhere', workers: 0 });
      const ports = { ...settings.ports, [setting]: port };
      for (const other of Object.keys(ports).filter((name) => name !== setting))
        Object.assign(ports, { [other]: free.pop() });
      stranger = net.createServer();
      await new Promise<void>((resolve) => stranger?.listen(port, '127.0.0.1', resolve));
      const error = await checkPorts({ ...settings, ports }).catch((reason: Error) => reason);
      expect(error).to.be.instanceOf(StartError);
      expect((error as Error).message).to.equal(
        `port ${port} is taken: end what listens there, or set ${variable} to another`,
      );
    });
  }
});
