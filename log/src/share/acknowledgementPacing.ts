/** Accepts wait so long for others, … */
const lingerMs = 100;
/** … and no longer once there are so many. */
const enough = 256;

/**
 * When acknowledgements leave. Each request with some makes the broker write the group's state, and is answered when that is done; a
 * fetch that carries some gives its records no sooner. So accepts gather for a moment: all that depends on them is how far the
 * group is said to be, and what a killed worker's successor looks up in the log. Releases don't wait: somebody else is to have those.
 */
export class AcknowledgementPacing {
  #dueAt = 0;
  #count = 0;

  /** One more waits. Gives when those that wait are due. */
  added(isAccept: boolean, now: number): number {
    if (++this.#count >= enough || !isAccept) this.hurry(now);
    else if (this.#dueAt === 0) this.#dueAt = now + lingerMs;
    return this.#dueAt;
  }

  /** What waits is due now. */
  hurry(now: number): void {
    this.#dueAt = Math.min(this.#dueAt || now, now);
  }

  isDue(now: number): boolean {
    return this.#dueAt <= now;
  }

  /** All that waited leaves. */
  sent(): void {
    this.#dueAt = 0;
    this.#count = 0;
  }
}
