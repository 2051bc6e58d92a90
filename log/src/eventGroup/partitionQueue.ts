import type { FetchedRecords } from '../reader/fetchedBatches.ts';
import type { Position } from '../reader/position.ts';

/** One batch is handled, one waits: enough that handling never waits for a fetch, and little to keep in memory. */
const maxWaiting = 1;

/** A partition that is read: what was fetched and is not handled yet, and how far it is. */
export class PartitionQueue {
  readonly position: Position;
  /** The offset after the last record that was handled. */
  handled: number;
  /** The end of the partition, as its leader said it in the last answer; undefined before that. */
  end: number | undefined;
  /** When that answer was asked for, in milliseconds since 1970. */
  askedAt: number | undefined;
  /** When records were handled last or there were none to handle, on the clock of `performance.now()`. */
  movedAt = performance.now();
  /** When the leader last answered well. */
  answeredAt = performance.now();
  /** How often reading was cut short: by an error, a lost connection, a leader that moved. */
  interruptions = 0;
  /** Reading has ended here. */
  stopped: Error | undefined;
  #waiting: FetchedRecords[] = [];
  #handling = false;
  readonly #handle: (queue: PartitionQueue, batch: FetchedRecords) => Promise<void>;
  readonly #onIdle: () => void;

  /** `handle` must not reject. */
  constructor(
    position: Position,
    handle: (queue: PartitionQueue, batch: FetchedRecords) => Promise<void>,
    onIdle: () => void,
  ) {
    this.position = position;
    this.handled = position.offset;
    this.#handle = handle;
    this.#onIdle = onIdle;
  }

  get wantsMore(): boolean {
    return this.stopped === undefined && (!this.#handling || this.#waiting.length < maxWaiting);
  }

  get isIdle(): boolean {
    return !this.#handling;
  }

  push(batch: FetchedRecords): void {
    this.#waiting.push(batch);
    if (!this.#handling) void this.#run();
  }

  drop(): void {
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    this.#handling = true;
    for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) await this.#handle(this, batch);
    this.#handling = false;
    this.#onIdle();
  }
}
