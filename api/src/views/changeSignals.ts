import type { TaskStatus } from '@taskflow/schemas/fold';
import type { TaskChange } from '@taskflow/service/taskChanges';

/**
 * Wakes whoever waits for a task, or for the view `tasks` to move, by what the projector publishes after each flush.
 * A message may be missed, so every wait has a time after which it looks by itself.
 */
export class ChangeSignals {
  readonly #byTask = new Map<string, Set<(status: TaskStatus) => void>>();
  readonly #flushWaiters = new Set<() => void>();

  /** What the subscription calls. */
  readonly onFlush = (readChanges: () => readonly TaskChange[]): void => {
    if (this.#byTask.size > 0) {
      for (const [id, , status] of readChanges()) {
        const waiters = this.#byTask.get(id);
        if (waiters !== undefined) for (const wake of [...waiters]) wake(status as TaskStatus);
      }
    }
    for (const wake of [...this.#flushWaiters]) wake();
  };

  /** Calls `wake` with the status at each change of the task, until the function that it gives back is called. */
  watchTask(id: string, wake: (status: TaskStatus) => void): () => void {
    let waiters = this.#byTask.get(id);
    if (waiters === undefined) {
      waiters = new Set();
      this.#byTask.set(id, waiters);
    }
    waiters.add(wake);
    return () => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.#byTask.get(id) === waiters) this.#byTask.delete(id);
    };
  }

  /** Resolves at the next flush of the view, or after `ms`. */
  nextFlush(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#flushWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#flushWaiters.add(done);
    });
  }
}
