import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '@taskflow/embedded/broker';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import type { TaskEvent, TaskLogLine, TaskStarted, TaskSucceeded, TaskTypeRegistered } from '@taskflow/schemas/events';
import { logsTopic, typesTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { type TaskLogFixture, taskLogFixture } from './testing/taskLogFixture.ts';
import { killWorkerProcesses, startWorkerProcess } from './testing/workerProcess.ts';

const named = (events: readonly TaskEvent[], name: TaskEvent['event']) => events.filter(({ event }) => event === name);
const ids = (events: readonly TaskEvent[]) => new Set(events.map(({ taskId }) => taskId));
const started = (count: number) => (events: readonly TaskEvent[]) => ids(named(events, 'TaskStarted')).size >= count;
const succeeded = (count: number) => (events: readonly TaskEvent[]) =>
  ids(named(events, 'TaskSucceeded')).size >= count;

/** How often each task was started. */
function starts(events: readonly TaskEvent[]): number[] {
  const counts = new Map<string, number>();
  for (const { taskId } of named(events, 'TaskStarted')) counts.set(taskId, (counts.get(taskId) ?? 0) + 1);
  return [...counts.values()];
}

/** A file that handlers wait for. */
interface Gate {
  readonly file: string;
  open(): Promise<void>;
  remove(): Promise<void>;
}

async function closedGate(): Promise<Gate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'taskflow-gate-'));
  const file = path.join(folder, 'open');
  return { file, open: () => writeFile(file, ''), remove: () => rm(folder, { recursive: true, force: true }) };
}

describe('worker processes on a real broker', () => {
  let log: TaskLogFixture;
  let gate: Gate;
  beforeEach(async () => {
    log = await taskLogFixture();
    gate = await closedGate();
  });
  afterEach(async () => {
    await killWorkerProcesses();
    await log.close();
    await gate.remove();
  });

  it('share the work of a type, and run each task once', async () => {
    await Promise.all([startWorkerProcess(log.type), startWorkerProcess(log.type)]);
    await log.submit(...Array.from({ length: 300 }, () => ({ sleepMs: 50 })));
    await log.until(succeeded(300));
    expect(new Set(starts(log.events))).to.deep.equal(new Set([1]));
    expect(new Set(log.events.map(({ workerId }) => workerId)).size).to.equal(2);
    await log.untilSettled();
  });

  it('say in the catalogue what they run, with schemas that stand alone', async () => {
    await startWorkerProcess(log.type);
    const found = await log.find(
      typesTopic,
      (record) => record.event === 'TaskTypeRegistered' && record.type === log.type,
    );
    const { runtime, payloadSchema, maxAttempts } = found as TaskTypeRegistered;
    expect(runtime).to.equal('typescript');
    expect(maxAttempts).to.equal(3);
    expect(JSON.parse(payloadSchema)).to.include({ type: 'object', additionalProperties: false });
  });

  it('write the lines that a handler logs', async () => {
    await startWorkerProcess(log.type);
    const [taskId] = await log.submit({ log: 'from the handler' });
    const line = (await log.find(
      logsTopic,
      (record) => record.event === 'TaskLogLine' && record.taskId === taskId,
    )) as TaskLogLine;
    expect(line).to.include({ level: 'info', message: 'from the handler', attempt: 1, seq: 0 });
  });

  it('run what a killed one was running', async () => {
    const victim = await startWorkerProcess(log.type);
    await log.submit(...Array.from({ length: 20 }, () => ({ gate: gate.file })));
    await log.until(started(20));
    await startWorkerProcess(log.type);
    expect(await victim.end('SIGKILL')).to.equal('SIGKILL');
    await gate.open();
    await log.until(succeeded(20));
    expect(Math.max(...starts(log.events))).to.be.at.most(2);
    const second = named(log.events, 'TaskStarted').filter((event) => (event as TaskStarted).delivery > 1);
    expect(second).to.have.length(20);
    await log.untilSettled();
  });

  it('asked to stop, let short tasks end and give long ones to others', async () => {
    const leaving = await startWorkerProcess(log.type, { TASKFLOW_STOP_GRACE_MS: '3000' });
    const [short] = await log.submit({ gate: gate.file });
    const [deaf] = await log.submit({ sleepMs: 20_000, deaf: true });
    const [obedient] = await log.submit({ sleepMs: 5_000 });
    await log.until(started(3));
    await startWorkerProcess(log.type);
    const left = leaving.end('SIGTERM');
    await gate.open();
    expect(await left).to.equal(0);
    await log.until((events) => ids(named(events, 'TaskSucceeded')).has(obedient!));
    await log.until((events) => named(events, 'TaskStarted').filter(({ taskId }) => taskId === deaf).length === 2);
    const shortOnes = log.events.filter(({ taskId }) => taskId === short);
    expect(shortOnes.map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskSucceeded']);
    expect(named(log.events, 'TaskFailed')).to.deep.equal([]);
  });

  it('reject what cannot be decoded, and go on', async () => {
    await startWorkerProcess(log.type);
    await log.put(Buffer.from('not a record'));
    await log.put(null);
    await log.submit({});
    await log.until(succeeded(1));
    await log.untilSettled();
  });
});

describe('worker processes whose broker goes away', () => {
  let folder: string;
  let broker: Broker;
  let log: TaskLogFixture;
  let environment: Record<string, string>;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'taskflow-workers-'));
    const [port = 0, controllerPort] = await freePorts(2);
    broker = await startBroker({ stateDir: folder, port, controllerPort });
    environment = { TASKFLOW_KAFKA_BROKERS: broker.address };
    log = await taskLogFixture({ ...process.env, ...environment });
  });
  after(async () => {
    await killWorkerProcesses();
    await log?.close();
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const how of ['stop', 'kill'] as const) {
    it(`run on, and write outcomes when it is back (${how})`, async () => {
      const before = log.events.length;
      const worker = await startWorkerProcess(log.type, environment);
      const gate = await closedGate();
      const submitted = await log.submit(...Array.from({ length: 10 }, () => ({ gate: gate.file })));
      await log.until((events) => ids(named(events.slice(before), 'TaskStarted')).size === 10);
      await broker[how]();
      // Handlers end while there is no broker to tell.
      await gate.open();
      await broker.start();
      await log.until((events) => {
        const done = ids(named(events, 'TaskSucceeded'));
        return submitted.every((taskId) => done.has(taskId));
      });
      const ends = named(log.events, 'TaskSucceeded').filter(({ taskId }) => submitted.includes(taskId));
      for (const end of ends)
        expect(JSON.parse((end as TaskSucceeded).result.value!)).to.deep.equal({ pid: worker.pid });
      await log.untilSettled();
      await worker.ready();
      expect(await worker.end('SIGTERM')).to.equal(0);
      await gate.remove();
    }).timeout(180_000);
  }
});
