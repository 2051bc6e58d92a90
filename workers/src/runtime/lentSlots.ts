import type { Slots } from './slots.ts';
import type { TaskRun } from './taskRun.ts';

/** A run that is to begin, and waits for a slot. */
interface Waiting {
  readonly run: TaskRun;
  readonly go: () => void;
  readonly since: number;
}

/**
 * The slots of runs that are being checked, lent to other tasks meanwhile: a check may take half a second, in which a slot serves
 * many short tasks. When it is decided that a run is to begin it has the next slot that comes free, before what is in hand.
 */
export class LentSlots {
  private readonly slots: Slots;
  private readonly mostLent: () => number;
  private readonly waiting: Waiting[] = [];
  private lent = 0;

  /** `mostLent`: as many slots as come free while a check lasts, so that those who have lent theirs soon have one again. */
  constructor(slots: Slots, mostLent: () => number) {
    this.slots = slots;
    this.mostLent = mostLent;
  }

  /** Runs that would begin if they had a slot. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /** Lends the slot of a run whose check begins, unless too many are lent. */
  lend(run: TaskRun): void {
    if (run.slot !== 'held' || this.lent >= this.mostLent()) return;
    run.slot = 'lent';
    this.lent++;
    this.slots.lend();
  }

  /** Calls `go` when the run has a slot: at once where it has kept its own, or one is free. */
  whenBack(run: TaskRun, go: () => void): void {
    if (run.slot === 'lent') {
      this.waiting.push({ run, go, since: performance.now() });
      this.giveBack();
    } else go();
  }

  /** Gives slots that have come free to those that wait for one. */
  giveBack(): void {
    while (this.waiting.length > 0 && this.slots.inUse < this.slots.size) {
      const { run, go } = this.waiting.shift()!;
      this.lent--;
      this.slots.takeBack();
      run.slot = 'held';
      go();
    }
  }

  /** A run that has lent its slot will not begin. */
  drop(run: TaskRun): void {
    this.lent--;
    const at = this.waiting.findIndex((each) => each.run === run);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** Those that have waited since before a time. */
  waitingSince(before: number): TaskRun[] {
    return this.waiting.filter(({ since }) => since < before).map(({ run }) => run);
  }
}
