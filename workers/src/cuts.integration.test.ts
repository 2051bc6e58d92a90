import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type SpoiledBroker, startSpoiledBroker } from '@taskflow/log/testing/spoiledBroker';
import type { TaskEvent } from '@taskflow/schemas/events';
import { isEnd } from '@taskflow/schemas/fold';
import { expect } from 'chai';
import { type TaskLogFixture, taskLogFixture } from './testing/taskLogFixture.ts';
import { killWorkerProcesses, startWorkerProcess } from './testing/workerProcess.ts';

const shareFetchKey = 78;
const shareAcknowledgeKey = 79;

const of = (events: readonly TaskEvent[], name: TaskEvent['event']) => events.filter(({ event }) => event === name);
const ids = (events: readonly TaskEvent[]) => new Set(events.map(({ taskId }) => taskId));

/** One worker reaches the broker through a proxy that spoils things; another, healthy one would take whatever it gives up. */
describe('workers whose connections are cut', function () {
  this.timeout(120_000);
  let spoiled: SpoiledBroker;
  let log: TaskLogFixture;
  let folder: string;
  let starts: string;
  let gate: string;
  before(async () => {
    spoiled = await startSpoiledBroker();
  });
  beforeEach(async () => {
    log = await taskLogFixture({ ...process.env, TASKFLOW_KAFKA_BROKERS: spoiled.broker.address });
    folder = await mkdtemp(path.join(tmpdir(), 'taskflow-cuts-'));
    starts = path.join(folder, 'starts');
    gate = path.join(folder, 'gate');
  });
  afterEach(async () => {
    spoiled.proxy.heal();
    await killWorkerProcesses();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });
  after(() => spoiled?.close());

  const startSpoiled = () =>
    startWorkerProcess(log.type, { TASKFLOW_KAFKA_BROKERS: spoiled.proxy.address, TASKFLOW_TEST_STARTS: starts });
  const startHealthy = () =>
    startWorkerProcess(log.type, { TASKFLOW_KAFKA_BROKERS: spoiled.broker.address, TASKFLOW_TEST_STARTS: starts });
  const startLines = async () => (await readFile(starts, 'utf8')).trim().split('\n');
  const expectOneEndEach = (submitted: readonly string[]) => {
    for (const taskId of submitted) {
      const ends = log.events.filter((event) => event.taskId === taskId && isEnd(event.event));
      expect(ends.map(({ event }) => event)).to.deep.equal(['TaskSucceeded']);
    }
  };

  it('hand over at once what they run: nothing of it is started elsewhere', async () => {
    const worker = await startSpoiled();
    const submitted = await log.submit(...Array.from({ length: 30 }, () => ({ gate })));
    await log.until((events) => ids(of(events, 'TaskStarted')).size === 30);
    await startHealthy();
    spoiled.proxy.cutAll();
    await log.until((events) => ids(of(events, 'TaskHeartbeat')).size === 30);
    await log.untilSettled();
    await writeFile(gate, '');
    await log.until((events) => ids(of(events, 'TaskSucceeded')).size === 30);
    const lines = await startLines();
    console.log(`      30 runs, connections cut: ${lines.length} handler starts`);
    expect(lines).to.have.length(30);
    expect(new Set(lines.map((line) => line.split(' ')[2]))).to.deep.equal(new Set([String(worker.pid)]));
    expectOneEndEach(submitted);
  });

  it('are cut between outcome and accept: what is delivered again has ended on the log, and is not run again', async () => {
    await startSpoiled();
    await startHealthy();
    for (let round = 0; round < 5; round++) {
      // Accepts ride on fetches, or go alone: whichever comes first is lost with its connection.
      for (const apiKey of [shareFetchKey, shareAcknowledgeKey]) {
        spoiled.proxy.inject({ fault: 'loseRequest', apiKey, times: 3 });
      }
      const before = ids(of(log.events, 'TaskSucceeded')).size;
      await log.submit(...Array.from({ length: 40 }, () => ({ sleepMs: 5 })));
      await log.until((events) => ids(of(events, 'TaskSucceeded')).size === before + 40);
    }
    spoiled.proxy.heal();
    await log.untilSettled();
    const lines = await startLines();
    console.log(`      200 runs, accepts lost: ${lines.length} handler starts`);
    const again = lines.length - new Set(lines.map((line) => line.split(' ')[0])).size;
    expect(again, 'runs started again').to.equal(0);
    expectOneEndEach([...ids(log.events)]);
  });

  it('are frozen off for longer than their lock: what ends meanwhile is told when they are back', async () => {
    const worker = await startSpoiled();
    const submitted = await log.submit(...Array.from({ length: 10 }, () => ({ sleepMs: 3_000 })));
    await log.until((events) => ids(of(events, 'TaskStarted')).size === 10);
    spoiled.proxy.refuse();
    spoiled.proxy.cutAll();
    // Nobody else is there: the records are free, and wait.
    while (
      (await (await fetch(`${worker.status}/metrics`)).text()).includes(
        `taskflow_worker_slots_in_use{type="${log.type}"} 10`,
      )
    ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    spoiled.proxy.heal();
    await log.until((events) => ids(of(events, 'TaskSucceeded')).size === 10);
    await log.untilSettled();
    expect(await startLines()).to.have.length(10);
    expectOneEndEach(submitted);
  });
});
