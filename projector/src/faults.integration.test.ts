import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPostgres } from '@taskflow/embedded/postgres';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import { queueTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { migrate } from '@taskflow/service/migrations';
import { createPostgresPool } from '@taskflow/service/postgres';
import { type ServiceProcess, startServiceProcess } from '@taskflow/service/testing/serviceProcess';
import { createTestDatabase } from '@taskflow/service/testing/testDatabase';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectView, foldOf } from './testing/expectedView.ts';
import { type LogFixture, openLog, topicsOf, typeName } from './testing/logFixture.ts';
import { randomLog } from './testing/randomLog.ts';

describe('the projector, when others fail', function () {
  // Several of them wait for a killed member's session to end.
  this.timeout(180_000);

  let log: LogFixture;
  let projector: ServiceProcess | undefined;
  const cleanups: (() => Promise<unknown>)[] = [];

  before(async () => {
    log = await openLog();
  });
  after(() => log.close());
  afterEach(async () => {
    await projector?.kill();
    projector = undefined;
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(postgresUrl: string, group: string): Promise<ServiceProcess> {
    projector = startServiceProcess(new URL('main.ts', import.meta.url), {
      TASKFLOW_POSTGRES_URL: postgresUrl,
      TASKFLOW_STATUS_PORT: String((await freePorts(1))[0]),
      TASKFLOW_GROUP_PREFIX: group,
    });
    return projector;
  }

  it('is right again after PostgreSQL crashed and lost its last commits', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'projector-'));
    cleanups.push(() => rm(stateDir, { recursive: true, force: true }));
    const url = `postgres://taskflow:taskflow@127.0.0.1:${(await freePorts(1))[0]}/taskflow`;
    const postgres = await startPostgres({ stateDir, url });
    cleanups.push(() => postgres.stop());
    const root = path.join(import.meta.dirname, '..', '..');
    const owners = ['service', 'projector'].map((owner) => ({
      owner,
      directory: path.join(root, owner, 'migrations'),
    }));
    await migrate({ url, owners });
    const pool = createPostgresPool({ url, applicationName: 'test', logger: silentLogger });
    cleanups.push(() => pool.end());

    const type = typeName('crash');
    await log.register(type);
    const [events] = fc.sample(randomLog(type, { tasks: 100, events: 1_500 }), { numRuns: 1, seed: 8 });
    const running = await start(url, `test.${type}`);
    await running.ready(200);
    const appending = log.append(events!);
    for (let crashes = 0; crashes < 3; crashes++) {
      await postgres.kill();
      await postgres.start();
      await running.ready(200);
    }
    await appending;
    await log.caughtUp(pool, 'tasks', topicsOf(type));
    await expectView(pool, foldOf(await log.readAll(type)), type);
  });

  it('stops and says so where the log was trimmed below its position', async () => {
    const database = await createTestDatabase(['service', 'projector']);
    cleanups.push(() => database.drop());
    const group = `test.${database.name}`;
    const type = typeName('trimmed');
    await log.register(type);
    const [events] = fc.sample(randomLog(type, { tasks: 20, events: 300 }), { numRuns: 1, seed: 9 });
    const first = await start(database.url, group);
    await first.ready(200);
    await log.append(events!.slice(0, 100));
    await log.caughtUp(database.pool(), 'tasks', topicsOf(type));
    await first.stop();
    const before = foldOf(await log.readAll(type));

    const topic = queueTopic(type, 'normal');
    const queued = events!.filter((each) => each.topic === topic);
    await log.append(queued);
    const admin = log.cluster.kafkajs.admin();
    await admin.connect();
    const [end] = await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: end!.high }] });
    await admin.disconnect();

    const second = await start(database.url, group);
    const { checks } = await second.ready(503, (answer) => answer.checks.tasks?.reason?.includes(topic) === true);
    expect(checks.tasks?.reason).to.include(`${topic}/0 cannot be read on`).and.include('trimmed unread');
    await expectView(database.pool(), before, type);
  });
});
