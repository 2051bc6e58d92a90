/** Accepts wait so long for others, above all of their own batch, … */
const lingerMs = 100;
/** … and whole batches no longer once there are so many records in them. */
const enough = 256;

/**
 * When acknowledgements leave. Each request with some makes the broker write the group's state, and is answered when that is done; a
 * fetch that carries some gives its records no sooner. So accepts gather for a moment: all that depends on them is how far the
 * group is said to be, and what a killed worker's successor looks up in the log. And they leave by whole acquired batches, unless
 * some of one have waited for the others for so long. Releases don't wait: somebody else is to have those.
 */
export class AcknowledgementPacing {
  #dueAt = 0;
  #inWholeBatches = 0;

  /** One more waits; with it so many became ready that whole batches may leave with them. Gives when some are due. */
  added(isAccept: boolean, ready: number, now: number): number {
    this.#inWholeBatches += ready;
    if (!isAccept) this.hurry(now);
    else if (this.#dueAt === 0) this.#dueAt = now + lingerMs;
    return this.hasEnough ? now : this.#dueAt;
  }

  /** All that waits is due now. */
  hurry(now: number): void {
    this.#dueAt = Math.min(this.#dueAt || now, now);
  }

  /** Whole batches are due. */
  get hasEnough(): boolean {
    return this.#inWholeBatches >= enough;
  }

  /** All is due, parts of batches too. */
  isDue(now: number): boolean {
    return this.#dueAt <= now;
  }

  /**
   * What was due leaves. `partsSince` is since when parts of batches have waited that do not. Gives when those are due; undefined
   * where there are none.
   */
  sent(partsSince: number | undefined): number | undefined {
    this.#inWholeBatches = 0;
    this.#dueAt = partsSince === undefined ? 0 : partsSince + lingerMs;
    return partsSince === undefined ? undefined : this.#dueAt;
  }
}
