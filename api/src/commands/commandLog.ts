import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import type { AppendedPosition, AppendRecord } from '@taskflow/log/appender';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskCancelled, TaskCancelRequested, TaskQueued, TypePaused, TypeResumed } from '@taskflow/schemas/events';
import { eventsPartitionOf, type TaskState } from '@taskflow/schemas/fold';
import { controlTopic, eventsTopic, queueTopic } from '@taskflow/schemas/topics';

interface Needs {
  readonly codec: Pick<Codec, 'encode'>;
  readonly append: (records: readonly AppendRecord[]) => Promise<readonly AppendedPosition[]>;
  readonly partitionsOf: (topic: string) => number | Promise<number>;
}

/** Where each record of a command goes. */
export class CommandLog {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendedPosition[]> {
    return this.#needs.append(records);
  }

  /** Where the task's events lie. Only a row that was written before histories knew it is answered by the hash of its submission. */
  async eventsPartition(state: TaskState): Promise<number> {
    const known = eventsPartitionOf(state);
    if (known !== null) return known;
    return chooseEventsPartition(state.id, await this.#needs.partitionsOf(eventsTopic(state.type, state.priority)));
  }

  cancelled(event: TaskCancelled, partition: number): AppendRecord {
    const topic = eventsTopic(event.type, event.priority);
    return { topic, partition, key: event.taskId, value: this.#needs.codec.encode(event) };
  }

  async queued(event: TaskQueued): Promise<AppendRecord> {
    const topic = queueTopic(event.type, event.priority);
    const partition = chooseEventsPartition(event.taskId, await this.#needs.partitionsOf(topic));
    return { topic, partition, key: event.taskId, value: this.#needs.codec.encode(event) };
  }

  control(record: TaskCancelRequested | TypePaused | TypeResumed): AppendRecord {
    const key = record.event === 'TaskCancelRequested' ? record.taskId : record.type;
    return { topic: controlTopic, partition: 0, key, value: this.#needs.codec.encode(record) };
  }
}
