/**
 * The broker's time, as near as this process knows it: the latest time stamp it has seen, plus what its own monotonic clock
 * has counted since, so never ahead of the broker. Expiry is judged by it, so that a worker with a wrong clock expires nothing early.
 */
export class BrokerClock {
  private latest = 0;
  private seenAt = 0;

  saw(appendedAt: number): void {
    const at = performance.now();
    if (appendedAt <= this.latest + (at - this.seenAt)) return;
    this.latest = appendedAt;
    this.seenAt = at;
  }

  now(): number {
    return this.at(performance.now());
  }

  /** What the broker's clock showed (or somewhat before) at a time of `performance.now()`. */
  at(time: number): number {
    return this.latest + (time - this.seenAt);
  }
}
