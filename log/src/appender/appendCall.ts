import type { AppendedPosition, AppendRecord } from '../appender.ts';
import { PartialAppendError } from '../errors.ts';

/** Where records lie that came with one batch. */
export type BatchPlace = Omit<AppendedPosition, 'offset'>;

/** One call of `append`: its records, what became of each, and the promise that ends it. */
export class AppendCall {
  readonly records: readonly AppendRecord[];
  /** About what the records take in memory. */
  readonly bytes: number;
  /** When it is given up. */
  readonly deadline: number;
  readonly promise: Promise<readonly AppendedPosition[]>;
  /** Positions are put together at the end: until then a thousand of them would only be moved about by the garbage collector. */
  readonly #outcomes: (BatchPlace | Error)[];
  readonly #offsets: number[];
  #left: number;
  #firstError: Error | undefined;
  #mixed = false;
  #failed = 0;
  #resolve: (positions: readonly AppendedPosition[]) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly #onEnd: (call: AppendCall) => void;

  constructor(records: readonly AppendRecord[], bytes: number, deadline: number, onEnd: (call: AppendCall) => void) {
    this.records = records;
    this.bytes = bytes;
    this.deadline = deadline;
    this.#onEnd = onEnd;
    this.#outcomes = new Array(records.length);
    this.#offsets = new Array(records.length);
    this.#left = records.length;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** All its records have ended. */
  get isDone(): boolean {
    return this.#left === 0;
  }

  /** Records that were not appended, as far as is known. */
  get failedRecords(): number {
    return this.#failed;
  }

  /** This record has ended: what still happens to it is nobody's concern. */
  isSettled(index: number): boolean {
    return this.#outcomes[index] !== undefined;
  }

  appended(index: number, place: BatchPlace, offset: number): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = place;
    this.#offsets[index] = offset;
    if (--this.#left === 0) this.#end();
  }

  failed(index: number, error: Error): void {
    if (this.#outcomes[index] !== undefined) return;
    if (this.#firstError !== undefined && this.#firstError !== error) this.#mixed = true;
    this.#firstError ??= error;
    this.#failed++;
    this.#outcomes[index] = error;
    if (--this.#left === 0) this.#end();
  }

  /** Gives up all records of which nothing is known yet. */
  abandon(error: Error): void {
    for (let index = 0; index < this.records.length && this.#left > 0; index++) this.failed(index, error);
  }

  #end(): void {
    if (this.#firstError === undefined) {
      this.#resolve(this.#outcomes.map((place, index) => this.#position(place as BatchPlace, index)));
    } else if (this.#mixed || this.#failed < this.#outcomes.length) {
      const outcomes = this.#outcomes.map((outcome, index) =>
        outcome instanceof Error ? outcome : this.#position(outcome, index),
      );
      this.#reject(new PartialAppendError(outcomes, this.#firstError));
    } else this.#reject(this.#firstError);
    this.#onEnd(this);
  }

  #position({ topic, partition, appendedAt }: BatchPlace, index: number): AppendedPosition {
    return { topic, partition, offset: this.#offsets[index]!, appendedAt };
  }
}
