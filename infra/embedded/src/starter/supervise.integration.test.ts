import { expect } from 'chai';
import { isAlive, type ProcessIdentity } from '../process/procfs.ts';
import { freePorts } from '../testing/freePorts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { type TinyProgramOptions, tinyProgram } from '../testing/tinyProgram.ts';
import { until } from '../testing/until.ts';
import { type RestartPolicy, type Supervised, supervise } from './supervise.ts';

describe('supervise', () => {
  const folder = temporaryFolder();
  const running: Supervised[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((supervised) => supervised.stop('at once')));
  });

  const supervised = async (options: Partial<TinyProgramOptions> = {}, policy: Partial<RestartPolicy> = {}) => {
    const [port = 0] = await freePorts(1);
    const spawned: ProcessIdentity[] = [];
    const ended: { reason: string; delayMs: number }[] = [];
    let readyCount = 0;
    const program = supervise(
      tinyProgram({ name: 'tiny', port, folder, ...options }),
      {
        spawned: (_, identity) => spawned.push(identity),
        ready: () => readyCount++,
        ended: (_, reason, delayMs) => ended.push({ reason, delayMs }),
      },
      { firstDelayMs: 10, maxDelayMs: 40, healthyMs: 60_000, ...policy },
    );
    running.push(program);
    return { program, spawned, ended, readyCount: () => readyCount };
  };

  const killAndAwaitRestart = async ({ program, readyCount }: Awaited<ReturnType<typeof supervised>>) => {
    const before = readyCount();
    process.kill(program.pid!, 'SIGKILL');
    await until(() => readyCount() > before);
  };

  it('resolves when the program answers', async () => {
    const { program, readyCount } = await supervised();
    await program.start();
    expect(readyCount()).to.equal(1);
    expect(await program.program.ready()).to.equal(true);
  });

  it('starts again what ended unasked, and says why it ended', async () => {
    const started = await supervised();
    await started.program.start();
    await killAndAwaitRestart(started);
    expect(started.ended).to.deep.equal([{ reason: 'SIGKILL', delayMs: 10 }]);
    expect(started.spawned).to.have.length(2);
    expect(started.program.pid).to.equal(started.spawned[1]?.pid);
  });

  it('waits twice as long each time, up to the limit', async () => {
    const started = await supervised();
    await started.program.start();
    for (let kills = 0; kills < 4; kills++) await killAndAwaitRestart(started);
    expect(started.ended.map(({ delayMs }) => delayMs)).to.deep.equal([10, 20, 40, 40]);
  });

  it('begins with the first delay again once the program has been healthy', async () => {
    const started = await supervised({}, { healthyMs: 0 });
    await started.program.start();
    for (let kills = 0; kills < 3; kills++) await killAndAwaitRestart(started);
    expect(started.ended.map(({ delayMs }) => delayMs)).to.deep.equal([10, 10, 10]);
  });

  it('does not try again what fails at its first start, and shows the end of its log', async () => {
    const { program, spawned, ended } = await supervised({ name: 'broken', behaviour: 'broken' });
    const error = await program.start().then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.match(
      /^broken ended while it started \(exit code 3\); the end of .*:\n {2}no settings found$/,
    );
    expect(spawned).to.have.length(1);
    expect(ended).to.deep.equal([]);
  });

  it("gives a program's own explanation of its exit code", async () => {
    const { program } = await supervised({ behaviour: 'refusing' });
    const error = await program.start().catch((reason: Error) => reason);
    expect(error).to.have.property('message', 'tiny refused');
  });

  it('ends a program for good', async () => {
    const { program, spawned, ended } = await supervised();
    await program.start();
    await program.stop();
    expect(program.pid).to.equal(undefined);
    expect(spawned.some(isAlive)).to.equal(false);
    expect(ended).to.deep.equal([]);
  });

  it('kills a program that does not end when asked', async () => {
    const { program, spawned } = await supervised({ behaviour: 'deaf', stopTimeoutMs: 50 });
    await program.start();
    await program.stop();
    expect(spawned.some(isAlive)).to.equal(false);
  });

  it('does not start a program that waits for its restart when it is stopped', async () => {
    const { program, spawned, ended } = await supervised({}, { firstDelayMs: 600_000 });
    await program.start();
    process.kill(program.pid!, 'SIGKILL');
    await until(() => ended.length === 1);
    await program.stop();
    expect(spawned).to.have.length(1);
  });
});
