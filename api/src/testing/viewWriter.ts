import type { TaskEvent } from '@taskflow/schemas/events';
import { evolve, type RecordedEvent, type TaskState } from '@taskflow/schemas/fold';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import type { Pool } from '@taskflow/service/postgres';
import type { Redis } from '@taskflow/service/redis';
import { publishTaskChanges } from '@taskflow/service/taskChanges';
import { rowOfTaskState } from '@taskflow/service/taskRow';

const COLUMNS = [
  'id',
  'user_id',
  'type',
  'priority',
  'run_id',
  'step_id',
  'status',
  'version',
  'created_at',
  'finished_at',
  'error_code',
  'tags',
  'payload',
  'options',
  'result',
  'history',
] as const;

/** Writes the view `tasks` as the projector does, when a test says so. */
export class ViewWriter {
  readonly #pool: Pool;
  readonly #redis: Redis | undefined;
  readonly #states = new Map<string, TaskState>();
  #offset = 0;

  constructor(pool: Pool, redis?: Redis) {
    this.#pool = pool;
    this.#redis = redis;
  }

  /** Folds events into their tasks, writes the rows and their counts, and tells those who wait. Gives the offset of the first event. */
  async show(events: readonly TaskEvent[]): Promise<number> {
    const first = this.#offset;
    await this.showRecorded(
      events.map((event) => {
        const topic = (event.event === 'TaskQueued' ? queueTopic : eventsTopic)(event.type, event.priority);
        return { event, topic, partition: 0, offset: this.#offset++, appendedAt: event.occurredAt };
      }),
    );
    return first;
  }

  /** The same with events that lie on the log. */
  async showRecorded(log: readonly RecordedEvent[]): Promise<void> {
    const touched = new Set<string>();
    for (const recorded of log) {
      const { taskId } = recorded.event;
      this.#states.set(taskId, evolve(this.#states.get(taskId), recorded));
      touched.add(taskId);
    }
    const states = [...touched].map((id) => this.#states.get(id) as TaskState);
    for (const state of states) await this.#write(state);
    await this.#count();
    if (this.#redis !== undefined) {
      await publishTaskChanges(
        this.#redis,
        states.map(({ id, version, status }) => [id, version, status]),
      );
    }
  }

  /** Takes a task out of the view again. */
  async forget(id: string): Promise<void> {
    this.#states.delete(id);
    await this.#pool.query('delete from tasks where id = $1', [id]);
    await this.#count();
  }

  async #count(): Promise<void> {
    await this.#pool.query('delete from task_counts');
    await this.#pool.query('delete from dead_letters');
    await this.#pool.query(
      `insert into dead_letters
       select user_id, type, error_code, count(*) from tasks where payload is not null and status = 'failed' group by user_id, type, error_code`,
    );
    await this.#pool.query(
      `insert into task_counts
       select user_id, type, status, count(*) from tasks where payload is not null group by user_id, type, status`,
    );
  }

  async #write(state: TaskState): Promise<void> {
    const row = rowOfTaskState(state);
    const values = COLUMNS.map((column) =>
      (column === 'created_at' || column === 'finished_at') && row[column] !== null
        ? new Date(row[column])
        : row[column],
    );
    await this.#pool.query(
      `insert into tasks (${COLUMNS.join(', ')}) values (${COLUMNS.map((_, i) => `$${i + 1}`).join(', ')})
       on conflict (id) do update set ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`,
      values,
    );
  }

  /** Says that the view has applied the log up to these offsets. */
  async moveTo(positions: ReadonlyMap<string, number>): Promise<void> {
    for (const [partition, offset] of positions) {
      const [topic, number] = partition.split('/');
      await this.#pool.query(
        `insert into consumer_positions values ('tasks', $1, $2, $3)
         on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset`,
        [topic, Number(number), offset],
      );
    }
  }
}
