import type { TaskQueued } from '@taskflow/schemas/events';
import { hasEnded } from '@taskflow/schemas/fold';
import { isForgotten, recoverForgotten, type WatchedQueue } from '../watchdog.ts';
import { fold, logsByTask } from './checker.ts';
import type { Client } from './client.ts';
import type { Database } from './database.ts';
import type { World } from './world.ts';

const everyMs = 20_000;

/** Looks for forgotten tasks, as an orchestrator does. Its view of the tasks is up to date, that of the timers as far as they are folded. */
export class Watchdog {
  /** Task ids. */
  readonly recovered: string[] = [];
  private readonly world: World;
  private readonly database: Database;
  private readonly client: Client;
  private readonly passed: { readonly at: number; readonly offset: number; readonly ends: readonly number[] }[] = [];

  constructor(world: World, database: Database, client: Client) {
    this.world = world;
    this.database = database;
    this.client = client;
    this.loop();
  }

  private loop(): void {
    const { broker, timeline, values } = this.world;
    timeline.after(everyMs, () => this.loop());
    if (!broker.up) return;
    const { now } = timeline;
    this.passed.push({ at: now, offset: broker.group.storedStart, ends: broker.events.map((log) => log.length) });
    const old = this.passed.findLast(({ at }) => now - at >= values.watchdogAfterMs);
    if (!old) return;
    const isSeen = old.ends.every((end, partition) => this.database.positionOf(partition) >= end);
    const queue: WatchedQueue = { passed: old.offset, passedAskedAt: old.at, seenUpTo: isSeen ? old.at : 0, now };
    for (const [taskId, log] of logsByTask(broker)) {
      const state = fold(log);
      const newest = state.history.findLast(({ event }) => event === 'TaskQueued');
      const record = newest && broker.group.log[newest.offset];
      if (!record) continue;
      const watched = {
        ended: hasEnded(state.status),
        hasTimer: this.database.rows.get(taskId)?.timer != null,
        hasOutboxRow: [...this.database.outbox.values()].some(({ event }) => event.taskId === taskId),
        queueOffset: record.offset,
      };
      if (isForgotten(watched, queue, values)) this.recover(record.queued);
    }
  }

  private recover(queued: TaskQueued): void {
    this.recovered.push(queued.taskId);
    const stamp = { now: this.world.timeline.now, eventId: this.world.nextId() };
    const event = recoverForgotten(queued, stamp, this.world.values);
    if (event.event === 'TaskQueued') this.client.copy(event);
  }
}
