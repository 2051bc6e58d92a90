import type { ReadUpTo } from '@taskflow/core/timerFiring';
import type { Cluster } from '@taskflow/log/cluster';
import { endOffsets } from '@taskflow/log/reader';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { partitionKey, type TopicPartition } from '@taskflow/service/positions';
import { type Lane, laneKey } from '../topics.ts';

/** Where the partitions ended that say something of a lane's tasks, as asked at `askedAt` by the clock of the timers, or later. */
export interface LaneEnd {
  readonly lane: Lane;
  readonly askedAt: number;
  readonly events: TopicPartition & { readonly end: number };
  /** All partitions of the queue: a task's record may lie in any. */
  readonly queue: readonly (TopicPartition & { readonly end: number })[];
}

/** How far a lane was read against its end, for core's `mayFire`. */
export function readUpTo({ askedAt, events, queue }: LaneEnd, positions: ReadonlyMap<string, number>): ReadUpTo[] {
  return [events, ...queue].map(({ topic, partition, end }) => ({
    position: positions.get(partitionKey(topic, partition)) ?? 0,
    end,
    endAskedAt: askedAt,
  }));
}

export function isPassed(end: LaneEnd, positions: ReadonlyMap<string, number>): boolean {
  return readUpTo(end, positions).every((read) => read.position >= read.end);
}

/**
 * The ends that lanes must be read up to before their timers fire. An end stays the goal until it is passed, however the log grows
 * meanwhile: a reader that is always a little behind would never reach one that is asked anew each time.
 */
export class LaneEnds {
  readonly #cluster: Cluster;
  readonly #ends = new Map<string, LaneEnd>();
  readonly #passed = new Set<string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get(lane: Lane): LaneEnd | undefined {
    return this.#ends.get(laneKey(lane));
  }

  /** Notes which of the ends are behind these positions: a timer that is due later asks for another. */
  passed(positions: ReadonlyMap<string, number>): void {
    for (const [key, end] of this.#ends) if (isPassed(end, positions)) this.#passed.add(key);
  }

  /** Asks for the ends of lanes in which something was due at `dueAt`, where what is known is too old for it. `now`: the timers' clock, before this call. */
  async ask(lanes: readonly { readonly lane: Lane; readonly dueAt: number }[], now: number): Promise<void> {
    const asked = new Map<string, Lane>();
    for (const { lane, dueAt } of lanes) {
      const key = laneKey(lane);
      const known = this.#ends.get(key);
      if (known === undefined || (this.#passed.has(key) && known.askedAt < dueAt)) asked.set(key, lane);
    }
    if (asked.size === 0) return;
    const topics = new Set([...asked.values()].flatMap(topicsOf));
    const ends = await endOffsets(this.#cluster, [...topics]);
    for (const [key, lane] of asked) {
      const [events, queue] = topicsOf(lane) as [string, string];
      const end = ends.get(events)?.[lane.eventsPartition];
      if (end === undefined) throw new Error(`${events} has no partition ${lane.eventsPartition} any more`);
      this.#passed.delete(key);
      this.#ends.set(key, {
        lane,
        askedAt: now,
        events: { topic: events, partition: lane.eventsPartition, end },
        queue: (ends.get(queue) ?? []).map((queueEnd, partition) => ({ topic: queue, partition, end: queueEnd })),
      });
    }
  }
}

function topicsOf({ type, priority }: Lane): [events: string, queue: string] {
  return [eventsTopic(type, priority), queueTopic(type, priority)];
}
