import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import { uuidv7 } from '@taskflow/core/ids';
import { type Appender, createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { groupLag } from '@taskflow/log/groupOffsets';
import { follow } from '@taskflow/log/reader';
import { connectRegistry } from '@taskflow/log/registry';
import { ensureTopics, ensureTypeTopics, systemTopics } from '@taskflow/log/topics';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskEvent, TaskflowRecord } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic, shareGroup } from '@taskflow/schemas/topics';
import { queued } from './fakeLog.ts';

/** The other side of the log from a worker: what an api would write, and all that workers write. */
export interface TaskLogFixture {
  readonly type: string;
  readonly codec: Codec;
  /** All events of the type so far, as appended. */
  readonly events: readonly TaskEvent[];
  /** Queues tasks with these payloads; gives their ids. */
  submit(...payloads: unknown[]): Promise<string[]>;
  /** Puts bytes into the queue. */
  put(value: Buffer | null): Promise<void>;
  /** Resolves when the events satisfy the condition; rejects after a minute, saying what is there. */
  until(holds: (events: readonly TaskEvent[]) => boolean): Promise<void>;
  /** The first record of a topic that satisfies the condition. */
  find(topic: string, is: (record: TaskflowRecord) => boolean): Promise<TaskflowRecord>;
  /** Resolves when the group has settled everything. */
  untilSettled(): Promise<void>;
  close(): Promise<void>;
}

/** For anything that a test waits for. */
const LIMIT_MS = 60_000;

export async function taskLogFixture(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  type = `tested_${uuidv7().replaceAll('-', '').slice(-20)}`,
): Promise<TaskLogFixture> {
  const { TASKFLOW_KAFKA_BROKERS, TASKFLOW_REGISTRY_URL } = environment;
  if (!TASKFLOW_KAFKA_BROKERS || !TASKFLOW_REGISTRY_URL) {
    throw new Error(
      'Integration tests find the stack by TASKFLOW_KAFKA_BROKERS and TASKFLOW_REGISTRY_URL; `make test` sets them',
    );
  }
  const cluster: Cluster = await connectCluster({
    brokers: TASKFLOW_KAFKA_BROKERS.split(','),
    clientId: 'workers-test',
  });
  const { codec } = await connectRegistry({ url: TASKFLOW_REGISTRY_URL });
  await ensureTopics(cluster, systemTopics());
  await ensureTypeTopics(cluster, type);
  const appender: Appender = createAppender(cluster);
  const closing = new AbortController();
  const events: TaskEvent[] = [];
  const waiting = new Set<() => void>();
  const following = follow(cluster, {
    topics: [eventsTopic(type, 'normal')],
    from: 'start',
    signal: closing.signal,
    onRecords: (records) => {
      for (const { value } of records) events.push(codec.decode(value!) as TaskEvent);
      for (const look of [...waiting]) look();
    },
  });
  const topic = queueTopic(type, 'normal');

  return {
    type,
    codec,
    events,
    async submit(...payloads) {
      const records = payloads.map((payload) => {
        const taskId = uuidv7();
        const eventsPartition = chooseEventsPartition(taskId, 3);
        const event = queued({
          taskId,
          eventId: uuidv7(),
          type,
          eventsPartition,
          task: { payload: JSON.stringify(payload) },
        });
        return { topic, partition: 0, key: taskId, value: codec.encode(event) };
      });
      await appender.append(records);
      return records.map(({ key }) => key);
    },
    async put(value) {
      await appender.append([{ topic, partition: 0, key: null, value }]);
    },
    until: (holds) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          waiting.delete(look);
          const counts = Object.entries(Object.groupBy(events, ({ event }) => event)).map(
            ([name, all]) => `${all.length} ${name}`,
          );
          reject(new Error(`Not within a minute; there are ${counts.join(', ') || 'no events'}`));
        }, LIMIT_MS);
        const look = () => {
          if (!holds(events)) return;
          clearTimeout(limit);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async find(from, is) {
      const done = new AbortController();
      const { promise, resolve } = Promise.withResolvers<TaskflowRecord>();
      const search = follow(cluster, {
        topics: [from],
        from: 'start',
        signal: done.signal,
        onRecords: (records) => {
          for (const { value } of records) {
            const record = value === null ? undefined : codec.decode(value);
            if (record && is(record)) resolve(record);
          }
        },
      });
      const found = await promise;
      done.abort();
      await search.done;
      return found;
    },
    async untilSettled() {
      const deadline = performance.now() + LIMIT_MS;
      for (;;) {
        const lag = await groupLag(cluster, shareGroup(type, 'normal'), topic);
        if (lag === 0) return;
        if (performance.now() > deadline) throw new Error(`The group has not settled ${lag} records within a minute`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      closing.abort();
      await following.done;
      await appender.close();
      await cluster.close();
    },
  };
}
