import type { TaskQueued } from '@taskflow/schemas/events';
import { hasEnded } from '@taskflow/schemas/fold';
import { isForgotten, recoverForgotten, type WatchedQueue } from '../watchdog.ts';
import { fold, logsByTask } from './checker.ts';
import type { Client } from './client.ts';
import type { Database } from './database.ts';
import type { World } from './world.ts';

const everyMs = 20_000;

/** Looks for forgotten tasks, as an orchestrator does; its view is up to date. */
export class Watchdog {
  recovered = 0;
  private readonly world: World;
  private readonly database: Database;
  private readonly client: Client;
  private readonly passed: { readonly at: number; readonly offset: number }[] = [];

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
    this.passed.push({ at: now, offset: broker.group.storedStart });
    const old = this.passed.findLast(({ at }) => now - at >= values.watchdogAfterMs);
    if (!old) return;
    const queue: WatchedQueue = { passed: old.offset, passedAskedAt: old.at, seenUpTo: now, now };
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
    this.recovered++;
    const stamp = { now: this.world.timeline.now, eventId: this.world.nextId() };
    const event = recoverForgotten(queued, stamp, this.world.values);
    if (event.event === 'TaskQueued') this.client.copy(event);
  }
}
