import { uuidv7 } from '@taskflow/core/ids';
import { readRange } from '@taskflow/log/reader';
import { controlTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { expect } from 'chai';
import { SpentSignals } from './signals/spentSignals.ts';
import { startSignals } from './startSignals.ts';
import { type FoldedLog, foldedLog } from './testing/foldedLog.ts';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf } from './testing/taskEvents.ts';

describe('signals of cancelled tasks', () => {
  let fixture: OrchestratorFixture;
  let type: string;
  let log: FoldedLog;
  let offset = 0;

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    type = await fixture.newType();
    log = foldedLog(fixture, type);
  });

  const signalOf = (taskId: string, generation = 0) => ({
    event: 'TaskCancelRequested' as const,
    taskId,
    generation,
    eventId: uuidv7(),
    type,
    priority: 'normal',
    occurredAt: 0,
  });
  const lanes = () => [{ type, priority: 'normal', eventsPartition: 0 }];
  const removing = (changes: Partial<ConstructorParameters<typeof SpentSignals>[0]> = {}) => {
    const { cluster, appender, pool, registry } = fixture;
    const ports = { cluster, appender, pool, codec: registry.codec, logger: silentLogger, lanes };
    return new SpentSignals({ ...ports, ...changes });
  };
  const signal = (signals: SpentSignals, taskId: string, generation = 0) =>
    signals.apply({ key: taskId, record: signalOf(taskId, generation), offset: offset++ });
  /** The first round only notes how far the queue is. */
  const twoRounds = async (signals: SpentSignals): Promise<number> => {
    expect(await signals.round()).to.equal(0);
    return signals.round();
  };
  /** What the topic says last of a task. */
  const lastOf = async (taskId: string): Promise<'nothing' | 'signal' | 'tombstone'> => {
    let last: 'nothing' | 'signal' | 'tombstone' = 'nothing';
    for await (const records of readRange(fixture.cluster, { topic: controlTopic, partition: 0, from: 'start' })) {
      for (const { key, value } of records) if (String(key) === taskId) last = value === null ? 'tombstone' : 'signal';
    }
    return last;
  };

  it('go when the group has passed the record of the task', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.readAll();
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(0);
    await log.accept(1);
    expect(await twoRounds(signals)).to.equal(1);
    expect(await lastOf(it.taskId)).to.equal('tombstone');
    expect(await twoRounds(signals)).to.equal(0);
  });

  it('cost nothing more while the group does not get on', async () => {
    const [first, second] = [eventsOf(type), eventsOf(type)];
    await log.append(first.queued(), second.queued(), second.cancelled());
    await log.readAll();
    let asked = 0;
    const query = (...parameters: unknown[]) => {
      if ((parameters[0] as { name?: string }).name === 'read-idle-tasks') asked += 1;
      return (fixture.pool.query as (...parameters: unknown[]) => unknown)(...parameters);
    };
    const pool = new Proxy(fixture.pool, { get: (of, name) => (name === 'query' ? query : Reflect.get(of, name)) });
    const signals = removing({ pool });
    signal(signals, second.taskId);
    for (let round = 0; round < 5; round++) expect(await signals.round()).to.equal(0);
    expect(asked).to.equal(1);
    await log.accept(2);
    await signals.round();
    expect(await signals.round()).to.equal(1);
  });

  it('of tasks that were never queued go at once', async () => {
    const it = eventsOf(type);
    await log.append(it.scheduled(Date.now() + 3_600_000), it.cancelled());
    await log.readAll();
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(1);
  });

  it('stay while the views have not seen what settled the record', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.accept(1);
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(0);
    await log.readAll();
    expect(await signals.round()).to.equal(1);
  });

  it('stay while something of the task waits to be queued', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.readAll();
    await log.accept(1);
    await fixture.pool.query(
      `insert into outbox (task_id, type, priority, events_partition, topic, partition, end_offset, value)
       values ($1, $2, 'normal', 0, 'x', 0, 0, '')`,
      [it.taskId, type],
    );
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(0);
    await fixture.pool.query('delete from outbox where type = $1', [type]);
    expect(await signals.round()).to.equal(1);
  });

  it('go by the records of the generation that was cancelled, not by those of a redrive', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled(), eventsOf(type).queued());
    await log.append(it.queued(1, { generation: 1, cause: 'redrive' }));
    await log.readAll();
    // The broker stores how far the group is with the change after.
    await log.accept(1);
    await log.accept(1);
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(1);
  });

  it('stay where they are newer than what the views show', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.readAll();
    await log.accept(1);
    const signals = removing();
    signal(signals, it.taskId, 1);
    expect(await twoRounds(signals)).to.equal(0);
  });

  it('are looked after by whoever reads the first lane of the queue', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.readAll();
    await log.accept(1);
    const signals = removing({ lanes: () => [{ type, priority: 'normal', eventsPartition: 1 }] });
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(0);
  });

  it('are given again where a tombstone has met a newer one', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.cancelled());
    await log.readAll();
    await log.accept(1);
    const signals = removing();
    signal(signals, it.taskId);
    expect(await twoRounds(signals)).to.equal(1);
    signal(signals, it.taskId, 1);
    signals.apply({ key: it.taskId, record: null, offset: offset++ });
    while ((await lastOf(it.taskId)) !== 'signal') await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('are followed on the log, and removed from it', async () => {
    const tasks = Array.from({ length: 1_200 }, () => eventsOf(type));
    await log.append(...tasks.map((it) => it.queued()), ...tasks.map((it) => it.cancelled()));
    await log.readAll();
    await log.accept(tasks.length);
    const { codec } = fixture.registry;
    await fixture.appender.append(
      tasks.map(({ taskId }) => ({
        topic: controlTopic,
        partition: 0,
        key: taskId,
        value: codec.encode(signalOf(taskId)),
      })),
    );
    let removed = 0;
    const { cluster, registry, appender, pool } = fixture;
    const running = await startSignals({
      ...{ cluster, registry, appender, pool, lanes, logger: silentLogger, intervalMs: 20 },
      metrics: {
        signalsRemoved: (count: number) => {
          removed += count;
        },
        observeSignals: () => {},
      },
      onFatal(error) {
        throw error;
      },
    });
    while (removed < tasks.length) await new Promise((resolve) => setTimeout(resolve, 10));
    await running.stop();
    for (const { taskId } of [tasks[0]!, tasks[1_199]!]) expect(await lastOf(taskId)).to.equal('tombstone');
  });
});
