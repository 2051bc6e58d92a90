import type { LogRecord } from '@taskflow/log/logRecord';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import type { Logger } from './logger.ts';

/** The catalogue of task types: the newest registration of each, as workers write them to `taskflow.types`. */
export interface TaskTypes {
  get(type: string): TaskTypeRegistered | undefined;
  /** All of them, by name. */
  all(): readonly TaskTypeRegistered[];
  /** Calls `listener` after each change. Gives the function that ends it. */
  onChange(listener: () => void): () => void;
}

/** A catalogue that is filled by `apply`: what `followTaskTypes` does with the log. */
export class TaskTypeCatalogue implements TaskTypes {
  readonly #types = new Map<string, TaskTypeRegistered>();
  readonly #listeners = new Set<() => void>();
  readonly #codec: Codec;
  readonly #logger: Logger;

  constructor(codec: Codec, logger: Logger) {
    this.#codec = codec;
    this.#logger = logger;
  }

  get(type: string): TaskTypeRegistered | undefined {
    return this.#types.get(type);
  }

  all(): readonly TaskTypeRegistered[] {
    return [...this.#types.values()].toSorted((a, b) => (a.type < b.type ? -1 : 1));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in records of `taskflow.types`, in the log's order. */
  apply(records: readonly LogRecord[]): void {
    let changed = false;
    for (const record of records) changed = this.#applyOne(record) || changed;
    if (changed) for (const listener of this.#listeners) listener();
  }

  #applyOne(record: LogRecord): boolean {
    if (record.value === null) {
      return record.key !== null && this.#types.delete(record.key.toString());
    }
    let registered: TaskTypeRegistered;
    try {
      const decoded = this.#codec.decode(record.value);
      if (decoded.event !== 'TaskTypeRegistered') return false;
      registered = decoded;
    } catch (error) {
      // One registration that cannot be read must not hide the others.
      const { topic, partition, offset } = record;
      this.#logger.warn('A registered task type cannot be read', { topic, partition, offset, error });
      return false;
    }
    const known = this.#types.get(registered.type);
    // While old and new workers run side by side, the newer definition is shown.
    if (known !== undefined && known.version > registered.version) return false;
    this.#types.set(registered.type, registered);
    return true;
  }
}
