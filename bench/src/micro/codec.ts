import type { Table } from '../benchmark.ts';
import { codec, noopTask } from './noopEvents.ts';
import { timeOfCall } from './timed.ts';

/** What encoding and decoding cost for each event of a no-op task. */
export function codecTable(): Table {
  const { queued, started, succeeded } = noopTask(7, 2);
  return {
    title: 'codec, nanoseconds a record',
    rows: [queued, started, succeeded].map((event) => {
      const value = codec.encode(event);
      const encode = timeOfCall(() => codec.encode(event));
      const decode = timeOfCall(() => codec.decode(value));
      return {
        event: event.event,
        bytes: value.length,
        encode: Math.round(encode.median),
        'best encode': Math.round(encode.best),
        decode: Math.round(decode.median),
        'best decode': Math.round(decode.best),
        'name alone': timeOfCall(() => codec.nameOf(value)).median,
      };
    }),
  };
}
