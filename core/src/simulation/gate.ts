import type { Run } from './run.ts';

/** Lets runs begin: in turn, and one that runs alone only when nothing else runs; then nothing else until it has ended. */
export class Gate {
  private readonly queue: { readonly run: Run; readonly go: () => void }[] = [];
  /** Those that were let in and have not ended. */
  private inside: Run[] = [];

  /** Nothing is fetched meanwhile. */
  get isBlocked(): boolean {
    this.tidy();
    return this.inside.some(({ alone }) => alone) || this.queue.some(({ run }) => run.alone);
  }

  enter(run: Run, go: () => void): void {
    run.phase = 'waiting';
    this.queue.push({ run, go });
    this.open();
  }

  /** Lets in whoever may. */
  open(): void {
    for (;;) {
      this.tidy();
      const first = this.queue[0];
      if (!first || this.inside.some(({ alone }) => alone) || (first.run.alone && this.inside.length > 0)) return;
      this.queue.shift();
      this.inside.push(first.run);
      first.go();
    }
  }

  private tidy(): void {
    this.inside = this.inside.filter(isGoingOn);
    while (this.queue[0] && !isGoingOn(this.queue[0].run)) this.queue.shift();
  }
}

function isGoingOn({ phase }: Run): boolean {
  return phase === 'waiting' || phase === 'running';
}
