import type { TaskRun } from './taskRun.ts';

/**
 * Lets the runs of this process begin, of whatever type: in turn, and one that is to run alone only when nothing else runs;
 * then nothing else until it has ended. A task that kills its process takes no neighbours with it then.
 */
export class Gate {
  private readonly onChange: (isBlocked: boolean) => void;
  private readonly queue: { readonly run: TaskRun; readonly go: () => void }[] = [];
  /** Those that were let in and have not left. */
  private inside = 0;
  private alone: TaskRun | undefined;
  private blocked = false;

  /** `onChange` is told when fetching is to pause, or may go on. */
  constructor(onChange: (isBlocked: boolean) => void) {
    this.onChange = onChange;
  }

  /** Something runs alone, or waits to: nothing is to be fetched meanwhile. */
  get isBlocked(): boolean {
    return this.blocked;
  }

  /** Lets a run in if nothing is in its way. */
  tryEnter(run: TaskRun): boolean {
    if (this.alone !== undefined || this.queue.length > 0 || (run.alone && this.inside > 0)) return false;
    this.letIn(run);
    return true;
  }

  /** Lets it in, now or later: then calls `go`. Not if it is over by then. */
  enter(run: TaskRun, go: () => void): void {
    if (this.tryEnter(run)) {
      go();
      return;
    }
    this.queue.push({ run, go });
    this.open();
  }

  /** It has ended, or was given up; wherever it was. */
  leave(run: TaskRun): void {
    if (run.isInside) {
      run.isInside = false;
      this.inside--;
      if (this.alone === run) this.alone = undefined;
    }
    if (this.queue.length > 0 || this.blocked) this.open();
  }

  private letIn(run: TaskRun): void {
    run.isInside = true;
    this.inside++;
    if (run.alone) {
      this.alone = run;
      this.tell();
    }
  }

  private open(): void {
    for (;;) {
      while (this.queue[0]?.run.state === 'over') this.queue.shift();
      const first = this.queue[0];
      if (!first || this.alone !== undefined || (first.run.alone && this.inside > 0)) break;
      this.queue.shift();
      this.letIn(first.run);
      first.go();
    }
    this.tell();
  }

  private tell(): void {
    const blocked = this.alone !== undefined || this.queue.some(({ run }) => run.alone && run.state !== 'over');
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.onChange(blocked);
  }
}
