import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { uuidv7 } from '@taskflow/core/ids';
import { resultRef } from '@taskflow/core/resultRef';
import { rejection } from '@taskflow/log/testing/rejection';
import type { TaskEvent, TaskLogLine, TaskResult, TaskSucceeded } from '@taskflow/schemas/events';
import { someTask } from '@taskflow/schemas/testing/taskEvents';
import { eventsTopic, logsTopic, queueTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import { createReadiness } from '@taskflow/service/readiness';
import { followTaskTypes } from '@taskflow/service/taskTypes';
import { createTestDatabase, type TestDatabase } from '@taskflow/service/testing/testDatabase';
import { expect } from 'chai';
import type { Db, MongoClient } from 'mongodb';
import { answered } from './documents/answered.ts';
import { connectMongo } from './documents/connectMongo.ts';
import type { Projection } from './projection.ts';
import { projectionMetrics } from './projectionMetrics.ts';
import type { ResultDocument } from './projections/results.ts';
import type { TaskLogDocument } from './projections/taskLogs.ts';
import { resultsView, taskLogsView, tasksView } from './projections.ts';
import { startProjection } from './startProjection.ts';
import { sweepDocuments } from './sweep.ts';
import { type LogFixture, openLog, topicsOf, typeName } from './testing/logFixture.ts';
import { startTcpProxy, type TcpProxy } from './testing/tcpProxy.ts';
import { VIEW_SESSION } from './viewSession.ts';

const userId = '00000000-0000-4000-8000-000000000001';

describe('the Mongo views', () => {
  let log: LogFixture;
  let database: TestDatabase;
  let proxy: TcpProxy;
  let mongo: MongoClient;
  let db: Db;
  let readiness: ReturnType<typeof createReadiness>;
  const stops: (() => Promise<void>)[] = [];

  before(async () => {
    log = await openLog();
    const url = new URL(process.env.TASKFLOW_MONGO_URL!);
    proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    mongo = connectMongo(url.href);
  });
  after(async () => {
    await mongo.close();
    await proxy.close();
    await log.close();
  });
  beforeEach(async () => {
    database = await createTestDatabase(['service', 'projector']);
    db = mongo.db(`test_${randomUUID().slice(0, 8)}`);
    readiness = createReadiness();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await db.dropDatabase();
    await database.drop();
  });

  async function run<E, F, O>(view: Projection<E, F, O>): Promise<void> {
    const stopping = new AbortController();
    const types = await followTaskTypes({
      cluster: log.cluster,
      codec: log.registry.codec,
      logger: silentLogger,
      signal: stopping.signal,
      onFailure: () => {},
    });
    const running = await startProjection(
      view,
      {
        cluster: log.cluster,
        registry: log.registry,
        types,
        groupPrefix: `test.${database.name}`,
        pool: database.pool({ session: VIEW_SESSION, pipeline: true }),
        logger: silentLogger,
        metrics: projectionMetrics(createMetrics({ defaults: false })),
        readiness,
        park: async () => {},
        onFatal: (error) => {
          throw error;
        },
        stopping: stopping.signal,
      },
      { whenBlocked: 'degraded', parks: false },
    );
    stops.push(async () => {
      await running.stop();
      stopping.abort();
    });
  }

  const head = (type: string, taskId: string, workerId: string) => ({
    taskId,
    generation: 0,
    attempt: 1,
    workerId,
    eventId: uuidv7(),
    userId,
    type,
    priority: 'normal',
    occurredAt: Date.now(),
    runId: null,
    stepId: null,
  });
  const queued = (type: string, taskId: string): TaskEvent => ({
    ...head(type, taskId, ''),
    event: 'TaskQueued',
    failures: 0,
    recoveries: 0,
    eventsPartition: 0,
    cause: 'submit',
    check: false,
    actor: null,
    reason: null,
    task: { ...someTask, payload: '{}' },
  });
  function succeeded(
    type: string,
    value: string,
    changes: Partial<TaskResult> = {},
    workerId = 'worker-1.1.a',
    taskId = uuidv7(),
  ) {
    const own = head(type, taskId, workerId);
    const event: TaskSucceeded = {
      ...own,
      event: 'TaskSucceeded',
      durationMs: 1,
      result: {
        storage: 'mongo',
        value,
        ref: resultRef(own, workerId),
        preview: null,
        size: Buffer.byteLength(value),
        contentType: 'application/json',
        sha256: 'a'.repeat(64),
        ttlMs: null,
        ...changes,
      },
    };
    return event;
  }
  const append = (...events: TaskEvent[]) =>
    log.append(
      events.map((event) => {
        const topic = (event.event === 'TaskQueued' ? queueTopic : eventsTopic)(event.type, event.priority);
        return { topic, partition: 0, event };
      }),
    );
  const results = () => db.collection<ResultDocument>('results');
  const shown = async (type: string) => {
    await log.caughtUp(
      database.pool(),
      'results',
      topicsOf(type).filter((topic) => topic.includes('.events.')),
    );
    return results().find({ type }).toArray(); // the broker has those of other tests, too
  };

  it('hold each result once, as a document, however often its event is there', async () => {
    const type = typeName('results');
    await log.register(type);
    const event = succeeded(type, '{"title":"Ä page","links":[1,{"a":null}]}', { ttlMs: 60_000 });
    await append(event, event);
    await run(resultsView(db));
    await append(event, succeeded(type, '"text"'));
    const documents = await shown(type);
    expect(documents).to.have.lengthOf(2);
    const found = documents.find(({ _id }) => _id === event.result.ref);
    expect(found).to.deep.equal({
      _id: `${event.taskId}.0.1.worker-1.1.a`,
      taskId: event.taskId,
      userId,
      type,
      generation: 0,
      attempt: 1,
      value: { title: 'Ä page', links: [1, { a: null }] },
      contentType: 'application/json',
      size: event.result.size,
      sha256: event.result.sha256,
      createdAt: new Date(event.occurredAt),
      expiresAt: new Date(event.occurredAt + 60_000),
    });
  });

  it('take no result that lies elsewhere, and none of a type whose results are inline', async () => {
    const [mixed, inline] = [typeName('mixed'), typeName('inline')];
    await log.register(mixed);
    await log.register(inline, { resultStorage: 'inline' });
    await append(
      succeeded(mixed, '1', { storage: 'inline', ref: null }),
      succeeded(mixed, '2'),
      succeeded(inline, '3'),
    );
    await run(resultsView(db));
    expect((await shown(mixed)).map(({ value }) => value)).to.deep.equal([2]);
  });

  it('keep as JSON text what cannot be a document, and its neighbours as they are', async () => {
    const type = typeName('odd');
    await log.register(type);
    const odd = [
      '{"$ref":1}',
      '{"a.b":1}',
      '[[1],[2]]',
      '"nul \\u0000"',
      `${'['.repeat(500)}${']'.repeat(500)}`,
      'no JSON',
    ];
    await append(
      succeeded(type, '{"fine":true}'),
      ...odd.map((value) => succeeded(type, value)),
      succeeded(type, 'null'),
    );
    await run(resultsView(db));
    const documents = await shown(type);
    expect(documents).to.have.lengthOf(odd.length + 2);
    expect(documents.map(({ json }) => json).filter((json) => json !== undefined)).to.have.members(odd);
    expect(documents.map(({ value }) => value)).to.deep.include({ fine: true });
  });

  it('stand still while MongoDB is away, say so, and catch up', async () => {
    const type = typeName('away');
    await log.register(type);
    await run(resultsView(db));
    await append(succeeded(type, '1'));
    expect(await shown(type)).to.have.lengthOf(1);
    proxy.shut();
    await append(succeeded(type, '2'), succeeded(type, '3'));
    while ((await readiness.report()).status !== 'degraded') await new Promise((resolve) => setTimeout(resolve, 10));
    proxy.open();
    expect((await shown(type)).map(({ value }) => value)).to.have.members([1, 2, 3]);
    expect((await readiness.report()).status).to.equal('ready');
  });

  it('are not waited for in vain where a connection ends as it is used', async () => {
    const sockets: Socket[] = [];
    const remember = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
    subscribe('net.client.socket', remember);
    const client = connectMongo(process.env.TASKFLOW_MONGO_URL!);
    const documents = client.db(db.databaseName).collection('ended');
    await documents.insertOne({ number: 1 });
    unsubscribe('net.client.socket', remember);
    for (const socket of sockets) socket.destroy();
    const error = await rejection(answered(documents.insertOne({ number: 2 }), 500));
    expect(error.message).to.include('MongoDB has not answered within 500 ms');
    await answered(documents.insertOne({ number: 3 }));
    await client.close();
  });

  it('hold the lines that task code logs', async () => {
    const taskId = uuidv7();
    const line = (seq: number, fields: string | null): TaskLogLine => ({
      event: 'TaskLogLine',
      taskId,
      generation: 0,
      attempt: 1,
      workerId: 'worker-1.1.a',
      userId,
      type: 'noop',
      seq,
      occurredAt: 1_760_000_000_000 + seq,
      level: 'info',
      message: `line ${seq}`,
      fields,
    });
    const lines = [line(0, null), line(1, '{"status":200}'), line(2, '{"$odd":1}')];
    await run(taskLogsView(db));
    await log.appender.append(
      [...lines, lines[0]!].map((each) => ({
        topic: logsTopic,
        partition: 0,
        key: taskId,
        value: log.registry.codec.encode(each),
      })),
    );
    await log.caughtUp(database.pool(), 'task_logs', [logsTopic]);
    const found = await db.collection<TaskLogDocument>('task_logs').find({ taskId }).sort({ seq: 1 }).toArray();
    expect(found.map(({ message, fields }) => [message, fields])).to.deep.equal([
      ['line 0', null],
      ['line 1', { status: 200 }],
      ['line 2', '{"$odd":1}'],
    ]);
    expect(found[0]).to.deep.include({
      _id: `${taskId}.0.1.worker-1.1.a.0`,
      at: new Date(1_760_000_000_000),
      level: 'info',
    });
  });

  it('are swept of what has expired and of results that no task names', async () => {
    const type = typeName('sweep');
    await log.register(type);
    const now = Date.now();
    const kept = succeeded(type, '"kept"');
    const zombie = succeeded(type, '"second end"', {}, 'worker-2.2.b', kept.taskId);
    const expired = succeeded(type, '"expired"', { ttlMs: 1 });
    const unread = succeeded(type, '"its task has no row"');
    await append(queued(type, kept.taskId), queued(type, expired.taskId), kept, zombie, expired);
    await run(tasksView({ onChanges: () => {} }));
    await run(resultsView(db));
    await log.caughtUp(database.pool(), 'tasks', topicsOf(type));
    expect(await shown(type)).to.have.lengthOf(3);
    const some = (await results().findOne({ _id: kept.result.ref! }))!;
    await results().insertOne({ ...some, _id: unread.result.ref!, taskId: unread.taskId });

    const left = async (at: number) => {
      await sweepDocuments({ db, pool: database.pool(), now: at, graceMs: 60_000 });
      return (await results().find({ type }).toArray()).map(({ _id }) => _id);
    };
    // Within the grace a result that no row names may belong to a row on its way.
    expect(await left(now + 30_000)).to.have.members([kept, zombie, unread].map(({ result }) => result.ref));
    expect(await left(now + 90_000)).to.have.members([kept, unread].map(({ result }) => result.ref));
  });
});
