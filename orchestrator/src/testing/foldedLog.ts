import { openQueue } from '@taskflow/log/queueConsumer';
import { endOffsets } from '@taskflow/log/reader';
import type { TaskEvent } from '@taskflow/schemas/events';
import { evolve, type TaskState } from '@taskflow/schemas/fold';
import { eventsTopic, queueTopic, shareGroup } from '@taskflow/schemas/topics';
import { inTransaction } from '@taskflow/service/postgres';
import { rowOfTaskState } from '@taskflow/service/taskRow';
import { writeTimers } from '../timers/foldTimers.ts';
import type { OrchestratorFixture } from './orchestratorFixture.ts';

/** The log of one type, and what a projector, an orchestrator and a worker make of it when a test says so. */
export interface FoldedLog {
  /** To the queue, or to the events partition 0. */
  append(...events: readonly TaskEvent[]): Promise<void>;
  /** Writes view and timers up to the log's end; without it their positions stay where they are. */
  readAll(): Promise<void>;
  /** A worker accepts the first records of the queue, whatever becomes of them. */
  accept(count: number): Promise<void>;
}

export function foldedLog(fixture: OrchestratorFixture, type: string): FoldedLog {
  const queue = queueTopic(type, 'normal');
  const events = eventsTopic(type, 'normal');
  const log: { event: TaskEvent; topic: string; partition: number; offset: number; appendedAt: number }[] = [];
  return {
    async append(...appended) {
      const records = appended.map((event) => ({
        topic: event.event === 'TaskQueued' ? queue : events,
        partition: 0,
        key: event.taskId,
        value: fixture.registry.codec.encode(event),
      }));
      const places = await fixture.appender.append(records);
      log.push(...places.map((place, index) => ({ ...place, event: appended[index]! })));
    },
    async readAll() {
      const states = new Map<string, TaskState>();
      for (const each of log) states.set(each.event.taskId, evolve(states.get(each.event.taskId), each));
      for (const row of [...states.values()].map(rowOfTaskState)) {
        const names = Object.keys(row);
        const at = new Set(['created_at', 'finished_at']);
        await fixture.pool.query(
          `insert into tasks (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
           on conflict (id) do update set (status, version, history) = (excluded.status, excluded.version, excluded.history)`,
          Object.entries(row).map(([name, value]) =>
            at.has(name) && value !== null ? new Date(value as number) : value,
          ),
        );
      }
      const timed = Map.groupBy(
        log.filter(({ event }) => event.event !== 'TaskQueued' && event.event !== 'TaskStarted'),
        ({ event }) => event.taskId,
      );
      await inTransaction(fixture.pool, (tx) => writeTimers(tx, timed));
      for (const [topic, ends] of await endOffsets(fixture.cluster, [queue, events])) {
        for (const [partition, end] of ends.entries()) {
          for (const consumer of ['tasks', 'orchestrator']) {
            await fixture.pool.query(
              `insert into consumer_positions values ($1, $2, $3, $4)
               on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset`,
              [consumer, topic, partition, end],
            );
          }
        }
      }
    },
    async accept(count) {
      const consumer = await openQueue(fixture.cluster, { topic: queue, group: shareGroup(type, 'normal') });
      for (let left = count; left > 0; ) {
        const records = await consumer.fetch({ maxRecords: left, maxWaitMs: 200 });
        for (const record of records) consumer.accept(record);
        left -= records.length;
      }
      await consumer.settled();
      await consumer.close();
    },
  };
}
