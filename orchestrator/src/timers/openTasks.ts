/**
 * The tasks that have a row in `timers` and have not ended, each with its generation, as far as the partitions go that this
 * instance reads; now and then one more. An event that matters only where there is a row (a start, an end) is passed over
 * undecoded for all other tasks, which are nearly all: a task that never has a timer costs a look in here for each of its events.
 *
 * A task enters when an event is read that may make its row, before that is written, so that a later event of the same batch finds it.
 */
export class OpenTasks {
  #generations = new Map<string, number>();

  get size(): number {
    return this.#generations.size;
  }

  has(taskId: string): boolean {
    return this.#generations.has(taskId);
  }

  /** By the key of a record: the text of the id. While no task is open, which is common, nothing is built. */
  hasKey(key: Buffer | null): boolean {
    return this.#generations.size > 0 && key !== null && this.#generations.has(key.toString('latin1'));
  }

  add(taskId: string, generation: number): void {
    this.#generations.set(taskId, Math.max(generation, this.#generations.get(taskId) ?? 0));
  }

  /** The end of a generation was read: what comes later of it needs no row, and a later generation enters anew. */
  ended(taskId: string, generation: number): void {
    if (generation >= (this.#generations.get(taskId) ?? 0)) this.#generations.delete(taskId);
  }

  /** After an assignment: those that the database has. */
  replace(tasks: Iterable<readonly [taskId: string, generation: number]>): void {
    this.#generations = new Map(tasks);
  }
}
