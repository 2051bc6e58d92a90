import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { QueueFacts, QueueSession } from './ports.ts';

/**
 * What the log says of a queue partition while a session with its present leader is open: asked once, when the session's first
 * record comes, and again until it is answered or the session is lost.
 */
export class SessionFacts {
  /** The group's start offset. */
  groupStart: number | undefined;
  /** Where the events partitions ended. A start behind it was locked by this leader. */
  eventsEnds: readonly number[] | undefined;
  /** Resolves when both are known, or never will be. */
  readonly ready: Promise<void>;
  isReady = false;
  readonly session: QueueSession;
  private readonly facts: QueueFacts;
  private readonly partition: number;
  private readonly lastEvents = new Map<number, Promise<number | undefined>>();

  constructor(facts: QueueFacts, partition: number, session: QueueSession) {
    this.facts = facts;
    this.partition = partition;
    this.session = session;
    this.ready = this.load();
  }

  /** Of an events partition, the append time of the last event of the leader before the present one. */
  lastEventOfOldLeader(eventsPartition: number): Promise<number | undefined> {
    let asked = this.lastEvents.get(eventsPartition);
    if (asked === undefined) {
      asked = this.patiently(() => this.facts.lastEventOfOldLeader(eventsPartition));
      this.lastEvents.set(eventsPartition, asked);
    }
    return asked;
  }

  private async load(): Promise<void> {
    await Promise.all([
      this.patiently(() => this.facts.groupStart(this.partition)).then((start) => {
        this.groupStart = start;
      }),
      this.patiently(() => this.facts.eventsEnds()).then((ends) => {
        this.eventsEnds = ends;
      }),
    ]);
    this.isReady = true;
  }

  private async patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; !this.session.lost; attempt++) {
      try {
        return await ask();
      } catch {
        await sleep(backoffMs(attempt), undefined, { ref: false });
      }
    }
    return undefined;
  }
}
