import { freePorts } from '@taskflow/embedded/testing/freePorts';
import { readRange } from '@taskflow/log/reader';
import { poisonTopic } from '@taskflow/schemas/topics';
import type { Pool } from '@taskflow/service/postgres';
import { type ServiceProcess, startServiceProcess } from '@taskflow/service/testing/serviceProcess';
import { createTestBlobStore } from '@taskflow/service/testing/testBlobStore';
import { createTestDatabase, type TestDatabase } from '@taskflow/service/testing/testDatabase';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectView, foldOf } from './testing/expectedView.ts';
import { type LogFixture, openLog, topicsOf, typeName } from './testing/logFixture.ts';
import { randomLog } from './testing/randomLog.ts';

describe('the projector', function () {
  // Several of them wait for a killed member's session to end.
  this.timeout(180_000);

  let log: LogFixture;
  let database: TestDatabase;
  let pool: Pool;
  const running: ServiceProcess[] = [];

  before(async () => {
    log = await openLog();
  });
  after(() => log.close());
  beforeEach(async () => {
    database = await createTestDatabase(['service', 'projector']);
    pool = database.pool();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((projector) => projector.kill()));
    await database.drop();
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const projector = startServiceProcess(new URL('main.ts', import.meta.url), {
      TASKFLOW_POSTGRES_URL: database.url,
      TASKFLOW_STATUS_PORT: String((await freePorts(1))[0]),
      // A group of its own: positions of another database's view are not this one's.
      TASKFLOW_GROUP_PREFIX: `test.${database.name}`,
      ...environment,
    });
    running.push(projector);
    return projector;
  }
  const sample = (type: string, seed: number, events = 2_000) =>
    fc.sample(randomLog(type, { tasks: 150, events }), { numRuns: 1, seed })[0]!;
  const viewIsFoldOfLog = async (type: string): Promise<void> => {
    await log.caughtUp(pool, 'tasks', topicsOf(type));
    await expectView(pool, foldOf(await log.readAll(type)), type);
  };

  it('shows the fold of the log, and of what is appended while it runs', async () => {
    const type = typeName('view');
    await log.register(type);
    const events = sample(type, 1);
    await log.append(events.slice(0, 700));
    const projector = await start();
    await projector.ready(200);
    await log.append(events.slice(700));
    await viewIsFoldOfLog(type);
    expect(await projector.metrics()).to.match(/taskflow_projection_events_total\{projection="tasks"\} \d+/);
    expect(await projector.stop()).to.equal(0);
  });

  it('sweeps the blobs whose days are over', async () => {
    const blobs = await createTestBlobStore();
    const [over, kept] = ['2020-01-01/user/blob', '2100-01-01/user/blob'];
    await blobs.place(over);
    await blobs.place(kept);
    const projector = await start({ TASKFLOW_S3_BUCKET: blobs.config.s3Bucket, TASKFLOW_SWEEP_INTERVAL_MS: '1000' });
    await projector.ready(200);
    while (!/taskflow_sweep_removed_total\{store="blobs",reason="expired"\} 1/.test(await projector.metrics())) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await blobs.held()).to.deep.equal([kept]);
    blobs.close();
    expect(await projector.stop()).to.equal(0);
  });

  it('shares the log out among instances, that come and are killed', async () => {
    const type = typeName('shared');
    await log.register(type);
    const events = sample(type, 2);
    const [first, second] = [await start(), await start()];
    await Promise.all([first.ready(200), second.ready(200)]);
    await log.append(events.slice(0, 800));
    await first.kill();
    await log.append(events.slice(800, 1_400));
    await start();
    await log.append(events.slice(1_400));
    await viewIsFoldOfLog(type);
  });

  it('loses and repeats nothing when it is killed in the middle of its work', async () => {
    const type = typeName('killed');
    await log.register(type);
    const events = sample(type, 3, 1_500);
    const appended = log.append(events);
    for (let kills = 0; kills < 3; kills++) {
      const projector = await start();
      await projector.ready(200);
      await projector.kill();
    }
    await start();
    await appended;
    await viewIsFoldOfLog(type);
  });

  it('parks what cannot be decoded, and goes on', async () => {
    const type = typeName('poison');
    await log.register(type);
    const [queue, events] = topicsOf(type).filter((topic) => topic.endsWith('.normal')) as [string, string];
    const good = sample(type, 4, 60);
    const poison = [
      { topic: queue, partition: 0, key: null, value: Buffer.from('no Avro at all') },
      {
        topic: events,
        partition: 1,
        key: 'k'.repeat(2_000),
        value: Buffer.concat([Buffer.from([0, 0, 0, 0, 99]), Buffer.alloc(70_000)]),
      },
      { topic: events, partition: 1, key: 'none', value: null },
      // Of the contract, but in a topic where it does not belong.
      {
        topic: events,
        partition: 2,
        key: null,
        value: log.registry.codec.encode(good.find(({ topic }) => topic.includes('.queue.'))!.event),
      },
    ];
    await log.append(good.slice(0, 30));
    const places = await log.appender.append(poison);
    await log.append(good.slice(30));
    const projector = await start();
    await projector.ready(200);
    await viewIsFoldOfLog(type);

    const parked = new Map<string, { key: string; size: number; kept: number }>();
    for await (const records of readRange(log.cluster, { topic: poisonTopic, partition: 0, from: 'start' })) {
      for (const record of records) {
        const decoded = log.registry.codec.decode(record.value!);
        if (decoded.event !== 'PoisonRecord') continue;
        parked.set(record.key!.toString(), {
          key: decoded.key?.toString() ?? '',
          size: decoded.size,
          kept: decoded.value?.length ?? 0,
        });
      }
    }
    const found = places.map(({ topic, partition, offset }) => parked.get(`${topic}/${partition}/${offset}`));
    expect(found[0]).to.deep.equal({ key: '', size: 14, kept: 14 });
    expect(found[1]).to.deep.equal({ key: 'k'.repeat(1_024), size: 70_005, kept: 65_536 });
    expect(found[2]).to.deep.equal({ key: 'none', size: 0, kept: 0 });
    expect(found[3]).to.have.property('size').that.is.greaterThan(100);
    expect(await projector.metrics()).to.include(`taskflow_poison_records_total{topic="${events}"} 3`);
  });

  it('reads the topics of a type that is registered while it runs', async () => {
    const projector = await start();
    await projector.ready(200);
    const type = typeName('late');
    await log.register(type);
    await log.append(sample(type, 5, 200));
    await viewIsFoldOfLog(type);
  });

  it('stands still while PostgreSQL is away, says so, and catches up', async () => {
    const type = typeName('away');
    await log.register(type);
    const events = sample(type, 6, 400);
    const projector = await start();
    await projector.ready(200);
    await log.append(events.slice(0, 100));
    await viewIsFoldOfLog(type);
    await database.refuseConnections();
    await log.append(events.slice(100));
    const { checks } = await projector.ready(503);
    expect(checks.tasks?.reason).to.include('positions stand still');
    await database.acceptConnections();
    await projector.ready(200);
    await viewIsFoldOfLog(type);
  });

  it('refuses to go on with a view of another version', async () => {
    await pool.query(`insert into projections values ('tasks', 99)`);
    const projector = await start();
    const error = await projector.ready(200).then(
      () => expect.fail('it is ready'),
      (reason: Error) => reason,
    );
    expect(error.message).to.include('The service ended');
    expect(JSON.stringify(projector.lines)).to.include(
      'The view tasks is of version 99, this program writes version 1',
    );
  });
});
