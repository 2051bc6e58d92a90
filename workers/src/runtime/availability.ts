/** How often it is noted, and for how long it is kept: the latest stays valid for all that comes after it. */
const STEP_MS = 1_000;
const KEPT = 300;

/**
 * When this worker asked a queue partition and was shown that nothing below an offset was to be had: what is handed out again
 * was in nobody's hands, or in somebody's, since then. (`lookBackFrom` in `core` reckons with it.)
 */
export class Availability {
  private readonly times: number[] = [];
  private readonly below: number[] = [];

  /** Ascending times, all of one clock. */
  shown(at: number, below: number): void {
    const last = this.times.length - 1;
    if (last >= 0 && at <= this.times[last]!) return;
    if (last >= 1 && this.times[last]! - this.times[last - 1]! < STEP_MS) {
      this.times[last] = at;
      this.below[last] = below;
      return;
    }
    this.times.push(at);
    this.below.push(below);
    if (this.times.length > KEPT) {
      this.times.shift();
      this.below.shift();
    }
  }

  /**
   * When the record of that offset was not to be had, before the fetch that brought it: of its own records an answer shows
   * nothing, they may have been to be had for long.
   */
  unavailableAt(offset: number, before: number): number[] {
    return this.times.filter((at, i) => at < before && offset < this.below[i]!);
  }
}
