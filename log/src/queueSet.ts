import { ClosedError } from './errors.ts';
import type { Delivered, FetchOptions, QueueConsumer } from './queueConsumer.ts';
import { Polls } from './share/polls.ts';

export interface QueueSetFetchOptions extends FetchOptions {
  /** The order in which to ask the queues this time; the order of the set unless given. Queues left out are not asked. */
  readonly order?: readonly QueueConsumer[];
}

/**
 * Several queues whose records share one pool of slots, such as a task type's three priorities.
 *
 * A fetch asks the queues in order, each for as many records as slots are left, but those that were empty a moment ago only now
 * and then and for a few, while another gives something. It waits on all of them together only when all were empty. A fetch
 * that waits at the broker cannot be called back, so it reserves the few slots that it may fill until it is answered (within
 * 500 ms): no more records than `maxRecords` are ever under way.
 *
 * How to use it, with `slots` slots of which `running` are in use:
 *
 *     while (!stopping) {
 *       if (running === slots) await aSlotIsFree();
 *       const order = round++ % 21 === 20 ? [low, high, normal] : [high, normal, low];
 *       for (const record of await set.fetch({ maxRecords: slots - running, order, maxWaitMs: 5_000, signal })) run(record);
 *     }
 *
 * `maxRecords` is always all free slots, reserved or not: the set knows what is reserved. Call `fetch` whenever a slot is free,
 * and `slotsFreed` when one more is while it waits: it may then give nothing, to be called anew with more.
 * What arrives while nobody asks is given back after a second. To stop or pause, abort the signal: what arrives afterwards
 * is released at once. A queue belongs to one set, and is not fetched from by itself then.
 */
export interface QueueSet {
  readonly queues: readonly QueueConsumer[];
  /** As `QueueConsumer.fetch`. A record's `topic` says from which queue it is; any queue of the set settles it. */
  fetch(options: QueueSetFetchOptions): Promise<Delivered[]>;
  /** More slots are free than the fetch under way was told. */
  slotsFreed(): void;
}

export function queueSet(queues: readonly QueueConsumer[]): QueueSet {
  const [first] = queues;
  if (!first) throw new Error('A set of queues needs at least one');
  const polls = new Polls((records) => {
    for (const record of records) first.release(record);
  });
  for (const queue of queues) queue.onChange(() => polls.changed());
  return {
    queues,
    slotsFreed: () => polls.slotsFreed(),
    async fetch({ order = queues, ...options }) {
      if (queues.every(({ isClosed }) => isClosed)) throw new ClosedError('The consumers of these queues were closed');
      return polls.fetch(() => order.flatMap((queue) => queue.sources()), options);
    },
  };
}
