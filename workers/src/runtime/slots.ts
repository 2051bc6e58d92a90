/**
 * How many tasks of a type run at once in this process, and how many may be under way in all. A slot is free again when
 * its handler has ended, not only when its outcome is on the log, so that short tasks do not wait for the broker; `unsettled`
 * bounds how far that may run ahead.
 */
export class Slots {
  readonly size: number;
  private readonly maxUnsettled: number;
  private running = 0;
  private ended = 0;
  private unsettled = 0;
  private waiter: (() => void) | undefined;
  /** Called in this order when a slot has become free. */
  private readonly listeners: (() => void)[] = [];
  private readonly unusedWaiters: (() => void)[] = [];

  constructor(size: number) {
    this.size = size;
    this.maxUnsettled = Math.max(2 * size, 256);
  }

  get inUse(): number {
    return this.running;
  }

  /** How often a slot has come free by now. */
  get freed(): number {
    return this.ended;
  }

  /** Records whose runs began and that are not settled. */
  get unsettledCount(): number {
    return this.unsettled;
  }

  /** Records that could be taken now. */
  get free(): number {
    return Math.max(0, Math.min(this.size - this.running, this.maxUnsettled - this.unsettled));
  }

  /** A record was taken: its run begins. */
  begin(): void {
    this.running++;
    this.unsettled++;
  }

  /** Its handler has ended, or was given up. */
  end(): void {
    this.ended++;
    this.vacate();
  }

  /** Others may use it until `takeBack`. */
  lend(): void {
    this.vacate();
  }

  takeBack(): void {
    this.running++;
  }

  /** Resolves when no slot is in use. */
  async untilUnused(): Promise<void> {
    if (this.running > 0) await new Promise<void>((resolve) => this.unusedWaiters.push(resolve));
  }

  /** It is accepted, released or dropped. */
  settle(): void {
    this.unsettled--;
    this.wake();
  }

  onFreed(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Resolves when a slot has become free, or at `interrupt`; one caller at a time. */
  async untilFreed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiter = resolve;
    });
  }

  /** Ends a wait for a free slot without one. */
  interrupt(): void {
    this.waiter?.();
    this.waiter = undefined;
  }

  private vacate(): void {
    this.running--;
    this.wake();
    if (this.running === 0) for (const resolve of this.unusedWaiters.splice(0)) resolve();
  }

  private wake(): void {
    if (this.free === 0) return;
    for (const listener of this.listeners) listener();
    this.interrupt();
  }
}
