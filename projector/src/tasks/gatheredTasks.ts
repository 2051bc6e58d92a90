import { type GatheredEvents, gather, type RecordedEvent } from '@taskflow/schemas/fold';
import { queueTopic } from '@taskflow/schemas/topics';
import { partitionKey } from '@taskflow/service/positions';
import type { CarriedOver } from '@taskflow/service/transactionalConsumer';

/** What a batch says of its tasks. */
export interface GatheredTasks {
  /** By id. */
  readonly tasks: Map<string, GatheredEvents>;
  /** Ids of those that the batch before has left to this one, and since when (milliseconds) they have been left. */
  readonly waiting: ReadonlyMap<string, number>;
}

export function noTasks(): GatheredTasks {
  return { tasks: new Map(), waiting: new Map() };
}

/** Takes an event in. */
export function gatherEvent({ tasks }: GatheredTasks, recorded: RecordedEvent): void {
  const { taskId } = recorded.event;
  const gathered = tasks.get(taskId);
  const now = gather(gathered, recorded);
  if (gathered === undefined) tasks.set(taskId, now);
}

/** A task waits for one batch that follows, and for further ones until it has waited this long. */
const LONGEST_MS = 500;
/** They are held in memory. */
const MOST_WAITING = 6_000;

/**
 * Leaves tasks of which a batch says no more than that they were queued to the batch that follows: under load the rest of their
 * events mostly comes with it, and they are written once.
 */
export function carryOverQueued(
  { tasks, waiting }: GatheredTasks,
  now = performance.now(),
): CarriedOver<GatheredTasks> | undefined {
  const left = new Map<string, GatheredEvents>();
  const since = new Map<string, number>();
  const from = new LowestOffsets();
  let bytes = 0;
  for (const [id, gathered] of tasks) {
    if (!isOnlyQueued(gathered)) continue;
    const began = waiting.get(id) ?? now;
    if (began < now - LONGEST_MS) continue;
    tasks.delete(id);
    left.set(id, gathered);
    since.set(id, began);
    bytes += bytesOf(gathered);
    const { type, priority } = gathered.task;
    const { partition, offset } = gathered.history[0]!;
    from.add(queueTopic(type, priority), partition, offset);
    if (left.size >= MOST_WAITING) break;
  }
  if (left.size === 0) return undefined;
  return { folded: { tasks: left, waiting: since }, bytes, from: from.all() };
}

/** The lowest offset of each partition. Records mostly come in the order of one. */
class LowestOffsets {
  readonly #lowest = new Map<string, { topic: string; partition: number; offset: number }>();
  #last = { topic: '', partition: -1, offset: 0 };

  add(topic: string, partition: number, offset: number): void {
    if (topic !== this.#last.topic || partition !== this.#last.partition)
      this.#last = this.#of(topic, partition, offset);
    if (offset < this.#last.offset) this.#last.offset = offset;
  }

  #of(topic: string, partition: number, offset: number) {
    const key = partitionKey(topic, partition);
    let lowest = this.#lowest.get(key);
    if (lowest === undefined) {
      lowest = { topic, partition, offset };
      this.#lowest.set(key, lowest);
    }
    return lowest;
  }

  all(): CarriedOver<GatheredTasks>['from'] {
    return [...this.#lowest.values()];
  }
}

function isOnlyQueued({ history }: GatheredEvents): boolean {
  return history.length === 1 && history[0]!.event === 'TaskQueued';
}

function bytesOf({ carriers }: GatheredEvents): number {
  const [event] = carriers;
  return event?.event === 'TaskQueued' ? event.task.payload.length : 0;
}
