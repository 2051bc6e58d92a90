import type { AppendedPosition, AppendRecord } from '../appender.ts';
import { PartialAppendError } from '../errors.ts';

/** One call of `append`: its records, what became of each, and the promise that ends it. */
export class AppendCall {
  readonly records: readonly AppendRecord[];
  /** About what the records take in memory. */
  readonly bytes: number;
  /** When it is given up. */
  readonly deadline: number;
  readonly promise: Promise<readonly AppendedPosition[]>;
  readonly #outcomes: (AppendedPosition | Error)[];
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

  appended(index: number, position: AppendedPosition): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = position;
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
    const outcomes = this.#outcomes;
    if (this.#firstError === undefined) this.#resolve(outcomes as AppendedPosition[]);
    else if (this.#mixed || this.#failed < outcomes.length) {
      this.#reject(new PartialAppendError(outcomes, this.#firstError));
    } else this.#reject(this.#firstError);
    this.#onEnd(this);
  }
}
