import { uuidv7 } from '@taskflow/core/ids';
import { protocolDefaults } from '@taskflow/core/protocolValues';
import { type Appender, createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { readRange } from '@taskflow/log/reader';
import { connectRegistry, type Registry } from '@taskflow/log/registry';
import { ensureTopics, ensureTypeTopics, systemTopics } from '@taskflow/log/topics';
import { isTaskEvent, type TaskEvent } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic, typesTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { createMetrics } from '@taskflow/service/metrics';
import type { Pool } from '@taskflow/service/postgres';
import { indexedSession } from '@taskflow/service/postgresSessions';
import { createReadiness } from '@taskflow/service/readiness';
import { followTaskTypes } from '@taskflow/service/taskTypes';
import { createTestDatabase, type TestDatabase } from '@taskflow/service/testing/testDatabase';
import { orchestratorMetrics } from '../metrics.ts';
import { foldSession } from '../sessions.ts';
import { type RunningTimers, startTimers, type TimerPorts } from '../startTimers.ts';

/** The broker and registry of the stack that tests run against, a database of its own, and orchestrators on them. */
export interface OrchestratorFixture {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly appender: Appender;
  readonly database: TestDatabase;
  /** As the orchestrator's own. */
  readonly pool: Pool;
  /** Makes the topics of a new type and registers it, as a worker does. */
  newType(): Promise<string>;
  /** Runs the timers in this process. */
  start(changes?: Partial<TimerPorts>): Promise<RunningTimers>;
  /** Appends events to the partition 0 of their topics (or another), in this order. */
  append(events: readonly TaskEvent[], partition?: number): Promise<void>;
  /** All events of a type, those of the queue first. */
  read(type: string): Promise<TaskEvent[]>;
  /** What is on the log of the type, once it is as wanted. */
  until(type: string, wanted: (events: readonly TaskEvent[]) => boolean): Promise<TaskEvent[]>;
  /** Stops what runs. */
  stopAll(): Promise<void>;
  close(): Promise<void>;
}

export async function openFixture(): Promise<OrchestratorFixture> {
  const cluster = await connectCluster({ brokers: process.env.TASKFLOW_KAFKA_BROKERS!.split(','), clientId: 'test' });
  const registry = await connectRegistry({ url: process.env.TASKFLOW_REGISTRY_URL! });
  await ensureTopics(cluster, systemTopics());
  const appender = createAppender(cluster);
  const database = await createTestDatabase(['service', 'projector', 'orchestrator']);
  const pool = database.pool({ session: indexedSession, pipeline: true });
  const foldPool = database.pool({ session: foldSession, pipeline: true });
  const { codec } = registry;
  const running: (() => Promise<void>)[] = [];

  const fixture: OrchestratorFixture = {
    cluster,
    registry,
    appender,
    database,
    pool,
    async newType() {
      const type = `t_${uuidv7().replaceAll('-', '').slice(-16)}`;
      await ensureTypeTopics(cluster, type, { queuePartitions: 1, eventsPartitions: 2 });
      await appender.append([
        {
          topic: typesTopic,
          partition: 0,
          key: type,
          value: codec.encode({ ...registration, type, eventId: uuidv7() }),
        },
      ]);
      return type;
    },
    async start(changes = {}) {
      const stopping = new AbortController();
      const types = await followTaskTypes({
        cluster,
        codec,
        logger: silentLogger,
        signal: stopping.signal,
        onFailure: () => {},
      });
      const timers = startTimers({
        cluster,
        registry,
        appender,
        types,
        groupPrefix: `test.${database.name}`,
        foldPool,
        pool,
        logger: silentLogger,
        metrics: orchestratorMetrics(createMetrics({ defaults: false })),
        readiness: createReadiness(),
        values: protocolDefaults,
        onFatal(error) {
          throw error;
        },
        ...changes,
      });
      const stop = async (): Promise<void> => {
        running.splice(running.indexOf(stop), 1);
        await timers.stop();
        stopping.abort();
      };
      running.push(stop);
      return { ...timers, stop };
    },
    async append(events, partition = 0) {
      const records = events.map((event) => {
        const isQueued = event.event === 'TaskQueued';
        const topic = (isQueued ? queueTopic : eventsTopic)(event.type, event.priority);
        return { topic, partition: isQueued ? 0 : partition, key: event.taskId, value: codec.encode(event) };
      });
      await appender.append(records);
    },
    async read(type) {
      const found: TaskEvent[] = [];
      for (const topic of [queueTopic(type, 'normal'), eventsTopic(type, 'normal')]) {
        const { partitions } = await cluster.topic(topic);
        for (const { partition } of partitions) {
          for await (const records of readRange(cluster, { topic, partition, from: 'start' })) {
            for (const { value } of records) {
              const event = codec.decode(value!);
              if (isTaskEvent(event)) found.push(event);
            }
          }
        }
      }
      return found;
    },
    async until(type, wanted) {
      for (;;) {
        const events = await fixture.read(type);
        if (wanted(events)) return events;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stopAll() {
      for (const stop of [...running]) await stop();
    },
    async close() {
      await fixture.stopAll();
      await database.drop();
      await appender.close();
      await cluster.close();
    },
  };
  return fixture;
}

const registration = {
  event: 'TaskTypeRegistered',
  version: 1,
  runtime: 'typescript',
  payloadSchema: '{}',
  resultSchema: '{}',
  resultStorage: 'mongo',
  takeover: 'now',
  maxAttempts: 3,
  backoffBaseMs: 1_000,
  backoffFactor: 2,
  backoffCapMs: 300_000,
  notRetryable: [],
  timeoutMs: 30_000,
  priority: 'normal',
  workerId: 'worker-1.1.a',
  occurredAt: 0,
} as const;
