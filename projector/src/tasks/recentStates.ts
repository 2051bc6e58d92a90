import { hasEnded, type TaskState } from '@taskflow/schemas/fold';

/** A state that this process has written, and the transaction that wrote it: the row is still so as long as its `xmin` is that. */
export interface WrittenState {
  readonly state: TaskState;
  readonly xid: number;
}

/**
 * The states written last, of tasks that have not ended: most of their next events come soon, and their rows then need not be
 * read. Those written longest ago go first.
 */
export class RecentStates {
  readonly #states = new Map<string, WrittenState>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(id: string): WrittenState | undefined {
    return this.#states.get(id);
  }

  /** Remembers what a committed transaction wrote. */
  written(state: TaskState, xid: number): void {
    this.#states.delete(state.id);
    if (hasEnded(state.status)) return;
    this.#states.set(state.id, { state, xid });
    if (this.#states.size <= this.#capacity) return;
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      break;
    }
  }

  clear(): void {
    this.#states.clear();
  }
}
