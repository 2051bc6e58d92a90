import type { Cluster } from '@taskflow/log/cluster';
import type { LogRecord } from '@taskflow/log/logRecord';
import { follow } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import { typeNamePattern, typesTopic } from '@taskflow/schemas/topics';
import type { Logger } from './logger.ts';

/** The catalogue of task types: the newest registration of each, as workers write them to `taskflow.types`. */
export interface TaskTypes {
  get(type: string): TaskTypeRegistered | undefined;
  /** All of them, by name. */
  all(): readonly TaskTypeRegistered[];
  /** Calls `listener` after each change. Gives the function that ends it. */
  onChange(listener: () => void): () => void;
}

export interface FollowTaskTypesOptions {
  readonly cluster: Cluster;
  readonly codec: Codec;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called when following ended otherwise: the catalogue stands still then. */
  readonly onFailure: (error: unknown) => void;
}

/** The live catalogue. Resolves when it holds all that was registered at the time of the call. */
export async function followTaskTypes(options: FollowTaskTypesOptions): Promise<TaskTypes> {
  const { cluster, codec, logger, signal, onFailure } = options;
  const catalogue = new TaskTypeCatalogue(codec, logger);
  const follower = follow(cluster, {
    topics: [typesTopic],
    from: 'start',
    onRecords: (records) => catalogue.apply(records),
    signal,
  });
  follower.done.catch(onFailure);
  await follower.caughtUp;
  return catalogue;
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
      if (!typeNamePattern.test(decoded.type)) throw new Error(`${JSON.stringify(decoded.type)} cannot name a type`);
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
