import type { HeldRecord } from './delivered.ts';

/** What `Polls` needs of a share session. */
export interface PollSource {
  /** A poll makes sense now. */
  readonly isReady: boolean;
  /** Records of it are locked and not settled. */
  readonly holdsRecords: boolean;
  /** Never rejects; only one at a time. */
  poll(maxRecords: number, maxWaitMs: number): Promise<HeldRecord[]>;
}

export interface PollOptions {
  /** Never more records than this: those returned, and those that polls under way may still bring. */
  readonly maxRecords: number;
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The broker holds a poll no longer than this: accepts and renewals of the same session wait behind it. */
const longestPollMs = 500;
/**
 * And no longer than this while records are held: the broker sees that a connection has ended only when it has answered what it was
 * asked on it, and what a killed process held is locked until then (docs/decisions/0152).
 */
const longestPollWhileHoldingMs = 250;
/** With fewer free slots than sources they must take turns. */
const turnMs = 50;
/** Where there was something the last time, an answer at once may be empty only because the broker serves another member just then. */
const busyMs = 10;
/** A source that had nothing is not asked again for so long while another one gives. */
const emptyMs = 20;
/** A poll that waits reserves this part of the free slots, at least one, so that most are free when the first record comes. */
const reservedPart = 1 / 32;
/** What arrived while nobody was waiting is given back when nobody asks for it within this time. */
const keepMs = 1_000;

/**
 * Polls of one or several share sessions on one account of free slots. Asked in order, but what is known to be empty beside
 * what gives; when all were empty, waited on together. A poll that waits at the broker cannot be called back: the slots that
 * it may fill stay reserved until it is answered, and what it brings after its caller has gone is there for the next one.
 */
export class Polls {
  readonly #release: (records: readonly HeldRecord[]) => void;
  #reserved = 0;
  #arrived: HeldRecord[] = [];
  #waiter: (() => void) | undefined;
  #fetching = false;
  /** All sources waited in vain in the last call: to ask them without waiting again would tell nothing new. */
  #allEmpty = false;
  /** What sources had when they were last asked. */
  readonly #last = new WeakMap<PollSource, { readonly gave: boolean; readonly at: number }>();
  /** Slots have become free since the call under way began. */
  #freed = false;
  #abandoned = false;
  #keepTimer: NodeJS.Timeout | undefined;

  constructor(release: (records: readonly HeldRecord[]) => void) {
    this.#release = release;
  }

  /** A source may have become ready. */
  changed(): void {
    this.#waiter?.();
  }

  /**
   * There are more free slots than the call under way was told. Where they were too few to wait on every source it ends with
   * nothing, so that it is made anew with more: otherwise they would stay empty until a poll of some empty source is over.
   */
  slotsFreed(): void {
    this.#freed = true;
    if (!this.#allEmpty) this.#waiter?.();
  }

  /** One call at a time. An abort ends it at once; records that come afterwards are released, unless the next call is there. */
  async fetch(sources: () => readonly PollSource[], options: PollOptions): Promise<HeldRecord[]> {
    if (this.#fetching) throw new Error('A fetch of these queues is under way already: await it first');
    this.#fetching = true;
    this.#abandoned = false;
    this.#freed = false;
    clearTimeout(this.#keepTimer);
    try {
      return await this.#fetch(sources, options);
    } finally {
      this.#fetching = false;
      if (options.signal?.aborted) this.#abandon();
      else this.#keep();
    }
  }

  async #fetch(sources: () => readonly PollSource[], options: PollOptions): Promise<HeldRecord[]> {
    const { maxRecords, maxWaitMs, signal } = options;
    const deadline = performance.now() + maxWaitMs;
    const found = this.#take(maxRecords);
    if (found.length > 0 || maxRecords <= 0 || signal?.aborted) return found;
    if (maxWaitMs <= 0 || !(this.#allEmpty || this.#isSole(sources()))) {
      const beside = await this.#ask(sources(), found, maxRecords);
      // Who does not wait is told of all there is.
      if (maxWaitMs <= 0) await Promise.all(beside);
      found.push(...this.#take(maxRecords - found.length));
    }
    this.#allEmpty = false;
    while (found.length === 0 && !signal?.aborted) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      this.#allEmpty = this.#startPolls(sources(), maxRecords, left);
      if (!this.#outgrown) await this.#change(left, signal);
      found.push(...this.#take(maxRecords));
      if (this.#outgrown) break;
    }
    if (found.length > 0) this.#allEmpty = false;
    return found;
  }

  /** Not every source could be waited on for want of slots, and by now there are more. */
  get #outgrown(): boolean {
    return this.#freed && !this.#allEmpty;
  }

  /** A single source need not be asked before it is waited on: a poll with something to give does not wait. */
  #isSole(sources: readonly PollSource[]): boolean {
    return this.#reserved === 0 && sources.length === 1;
  }

  /**
   * One source after the other, each for all slots that are left, until one gives something. Beside it, and without waiting for
   * their answers, those before it that had nothing the last time are asked for a few, and those behind it where it had too
   * little: the answer of an empty queue takes as long as that of a full one, and what was found would wait for it. Gives when
   * those are answered.
   */
  async #ask(sources: readonly PollSource[], found: HeldRecord[], maxRecords: number): Promise<Promise<void>[]> {
    const ready = sources.filter(({ isReady }) => isReady);
    const giving = ready.findIndex((source) => this.#isGiving(source));
    const beside: Promise<void>[] = [];
    for (const [index, source] of ready.entries()) {
      const room = maxRecords - found.length - this.#arrived.length - this.#reserved;
      if (room <= 0) break;
      if (!source.isReady || (giving >= 0 && this.#wasJustEmpty(source))) continue;
      const few = this.#few(room);
      if (found.length > 0) beside.push(this.#wait(source, room, 0));
      else if (index < giving && few < room) beside.push(this.#wait(source, few, 0));
      else if (await this.#askNow(found, source, room)) break;
    }
    return beside;
  }

  /** It had something when it was last asked. */
  #isGiving(source: PollSource): boolean {
    return this.#last.get(source)?.gave === true;
  }

  /** While another one gives it need not be asked again. */
  #wasJustEmpty(source: PollSource): boolean {
    const last = this.#last.get(source);
    return last?.gave === false && performance.now() < last.at + emptyMs;
  }

  /** Gives whether it had as much as it was asked for. */
  async #askNow(found: HeldRecord[], source: PollSource, maxRecords: number): Promise<boolean> {
    this.#reserved += maxRecords;
    const records = await source.poll(maxRecords, this.#isGiving(source) ? busyMs : 0);
    this.#reserved -= maxRecords;
    this.#note(source, records);
    for (const record of records) found.push(record);
    return records.length >= maxRecords;
  }

  #note(source: PollSource, records: readonly HeldRecord[]): void {
    this.#last.set(source, { gave: records.length > 0, at: performance.now() });
  }

  /** When it last answered, by `performance.now()`; 0 where it was never asked. */
  #answeredAt(source: PollSource): number {
    return this.#last.get(source)?.at ?? 0;
  }

  #few(room: number): number {
    return Math.max(1, Math.floor(room * reservedPart));
  }

  /** Starts a poll on each source that is ready. False if some had no slot left. */
  #startPolls(sources: readonly PollSource[], maxRecords: number, left: number): boolean {
    const ready = sources.filter((source) => source.isReady);
    const room = maxRecords - this.#reserved;
    const each = this.#isSole(sources) ? room : this.#few(room);
    const enough = each * ready.length <= room;
    const longestMs = sources.some(({ holdsRecords }) => holdsRecords) ? longestPollWhileHoldingMs : longestPollMs;
    const waitMs = Math.ceil(Math.min(left, enough ? longestMs : turnMs));
    // Where there are not slots enough to wait on all, those come first that have waited longest to be asked.
    if (!enough) ready.sort((a, b) => this.#answeredAt(a) - this.#answeredAt(b));
    for (const source of ready.slice(0, Math.floor(room / each))) void this.#wait(source, each, waitMs);
    return enough;
  }

  async #wait(source: PollSource, maxRecords: number, maxWaitMs: number): Promise<void> {
    this.#reserved += maxRecords;
    const records = await source.poll(maxRecords, maxWaitMs);
    this.#reserved -= maxRecords;
    this.#note(source, records);
    if (records.length === 0) {
      this.#waiter?.();
    } else if (this.#abandoned) {
      this.#release(records);
    } else {
      for (const record of records) this.#arrived.push(record);
      if (this.#waiter) this.#waiter();
      else if (!this.#fetching) this.#keep();
    }
  }

  #take(maxRecords: number): HeldRecord[] {
    const taken = this.#arrived.length <= maxRecords ? this.#arrived : this.#arrived.slice(0, Math.max(0, maxRecords));
    this.#arrived = taken === this.#arrived ? [] : this.#arrived.slice(taken.length);
    return taken;
  }

  #change(forMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#waiter = undefined;
        resolve();
      };
      const timer = setTimeout(done, forMs);
      signal?.addEventListener('abort', done);
      this.#waiter = done;
    });
  }

  #keep(): void {
    if (this.#arrived.length === 0) return;
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => {
      if (!this.#fetching) this.#release(this.#take(Number.POSITIVE_INFINITY));
    }, keepMs);
  }

  #abandon(): void {
    this.#abandoned = true;
    this.#release(this.#take(Number.POSITIVE_INFINITY));
  }
}
