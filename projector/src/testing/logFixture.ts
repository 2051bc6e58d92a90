import { uuidv7 } from '@taskflow/core/ids';
import { type Appender, createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import type { LogRecord } from '@taskflow/log/logRecord';
import { endOffsets, readRange } from '@taskflow/log/reader';
import { connectRegistry, type Registry } from '@taskflow/log/registry';
import { ensureTopics, ensureTypeTopics, systemTopics } from '@taskflow/log/topics';
import type { TaskEvent, TaskTypeRegistered } from '@taskflow/schemas/events';
import { isTaskEvent } from '@taskflow/schemas/events';
import { typesTopic } from '@taskflow/schemas/topics';
import { readPositions } from '@taskflow/service/positions';
import type { Pool } from '@taskflow/service/postgres';
import { taskTopics } from '../topics.ts';
import type { Addressed } from './randomLog.ts';

/** The log of the stack that tests run against, as a writer of events has it. */
export interface LogFixture {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly appender: Appender;
  /** Makes the topics of a type and registers it, as a worker does. */
  register(type: string, changes?: Partial<TaskTypeRegistered>): Promise<void>;
  /** Appends events in this order, some at a time. */
  append(log: readonly Addressed[]): Promise<void>;
  /** Every record of the type's topics with its event, those that cannot be decoded left out. */
  readAll(type: string): Promise<{ record: LogRecord; event: TaskEvent }[]>;
  /** Resolves when a consumer has passed the end that the type's topics have now. */
  caughtUp(pool: Pool, consumer: string, topics: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A name that no other test uses. */
export function typeName(prefix: string): string {
  return `${prefix}_${uuidv7().replaceAll('-', '').slice(-16)}`;
}

export function topicsOf(type: string): string[] {
  return taskTopics([{ type } as TaskTypeRegistered]);
}

export async function openLog(): Promise<LogFixture> {
  const cluster = await connectCluster({ brokers: process.env.TASKFLOW_KAFKA_BROKERS!.split(','), clientId: 'test' });
  const registry = await connectRegistry({ url: process.env.TASKFLOW_REGISTRY_URL! });
  await ensureTopics(cluster, systemTopics());
  const appender = createAppender(cluster);
  const { codec } = registry;
  return {
    cluster,
    registry,
    appender,
    async register(type, changes) {
      await ensureTypeTopics(cluster, type);
      const value = codec.encode({ ...registration(type), ...changes });
      await appender.append([{ topic: typesTopic, partition: 0, key: type, value }]);
    },
    async append(log) {
      for (let from = 0; from < log.length; from += 20) {
        await appender.append(
          log.slice(from, from + 20).map(({ topic, partition, event }) => {
            return { topic, partition, key: event.taskId, value: codec.encode(event) };
          }),
        );
      }
    },
    async readAll(type) {
      const all: { record: LogRecord; event: TaskEvent }[] = [];
      for (const [topic, ends] of await endOffsets(cluster, topicsOf(type))) {
        for (const partition of ends.keys()) {
          for await (const records of readRange(cluster, { topic, partition, from: 'start' })) {
            for (const record of records) {
              const event = decoded(record);
              if (event !== undefined) all.push({ record, event });
            }
          }
        }
      }
      return all;
    },
    async caughtUp(pool, consumer, topics) {
      const ends = await endOffsets(cluster, topics);
      for (;;) {
        const positions = await readPositions(pool, consumer).catch(() => new Map<string, number>());
        const behind = [...ends].some(([topic, of]) =>
          of.some((end, partition) => end > 0 && (positions.get(`${topic}/${partition}`) ?? 0) < end),
        );
        if (!behind) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async close() {
      await appender.close();
      await cluster.close();
    },
  };

  function decoded({ value }: LogRecord): TaskEvent | undefined {
    try {
      const event = codec.decode(value!);
      return isTaskEvent(event) ? event : undefined;
    } catch {
      return undefined;
    }
  }
}

function registration(type: string): TaskTypeRegistered {
  return {
    event: 'TaskTypeRegistered',
    type,
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
    eventId: uuidv7(),
    occurredAt: Date.now(),
  };
}
