import type { TaskEvent } from '@taskflow/schemas/events';
import type { Batch } from './broker.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

export interface OutgoingEvent {
  readonly event: TaskEvent;
  readonly partition: number;
  /** `sentAt`: when the request left that was answered. */
  acknowledged?(offset: number, sentAt: number): void;
  /** Asked before it is sent again: true if what it says may no longer be said. */
  withdraws?(): boolean;
}

/** A process's events on their way to the log: one append at a time, in order, again until it is acknowledged. */
export class WorkerOutbox {
  private waiting: OutgoingEvent[] = [];
  private sending = false;
  private failures = 0;
  private again: { readonly batch: Batch; readonly count: number } | undefined;
  private readonly process: Process;
  private readonly world: World;

  constructor(process: Process, world: World) {
    this.process = process;
    this.world = world;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  push(outgoing: OutgoingEvent): void {
    this.waiting.push(outgoing);
    this.process.after(0, () => this.send());
  }

  private send(): void {
    if (this.sending || this.waiting.length === 0) return;
    this.sending = true;
    const { batch, count } = this.again ?? this.newBatch();
    const sentAt = this.process.now;
    this.process.call(
      (broker) => broker.append(batch),
      (offsets) => {
        this.sending = false;
        this.again = undefined;
        this.failures = 0;
        const done = this.waiting.splice(0, count);
        for (const [i, outgoing] of done.entries()) outgoing.acknowledged?.(offsets[i]!, sentAt);
        this.send();
      },
      () => this.failed(batch, count),
    );
  }

  private newBatch(): { batch: Batch; count: number } {
    const records = this.waiting.map(({ event, partition }) => ({ event, partition }));
    return { batch: { id: this.world.random.next(), records }, count: records.length };
  }

  private failed(batch: Batch, count: number): void {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((outgoing) => !outgoing.withdraws?.());
    // The same batch under the same producer; now and then a new producer, so that it may come twice.
    const same = this.waiting.length === before && this.world.random.chance(0.7);
    this.again = same ? { batch, count } : undefined;
    // At once the first time: others wait half a second for a hand-over that is due.
    const pause = this.failures++ === 0 ? this.world.random.between(0, 20) : this.world.random.between(50, 400);
    this.process.after(pause, () => {
      this.sending = false;
      this.send();
    });
  }
}
