import { follow } from '@taskflow/log/reader';
import { isTaskEvent } from '@taskflow/schemas/events';
import type { RecordedEvent } from '@taskflow/schemas/fold';
import { eventsTopic, PRIORITIES, queueTopic } from '@taskflow/schemas/topics';
import { codec, type TestApi } from './testApi.ts';
import { ViewWriter } from './viewWriter.ts';

/** The view of a test api's types, kept up with the log as the projector does, but for when a test holds it back. */
export interface LiveView {
  /** Shows nothing more until `goOn`. Resolves when what was being shown is. */
  hold(): Promise<void>;
  goOn(): void;
  stop(): Promise<void>;
}

export async function liveView(api: TestApi): Promise<LiveView> {
  const writer = new ViewWriter(api.pool, api.redis.client);
  const stopping = new AbortController();
  let gate = Promise.resolve();
  let open: () => void = () => {};
  let writing = Promise.resolve();
  const topics = Object.values(api.types).flatMap((type) =>
    PRIORITIES.flatMap((priority) => [queueTopic(type, priority), eventsTopic(type, priority)]),
  );
  const follower = follow(api.cluster, {
    topics,
    from: 'start',
    async onRecords(records) {
      await gate;
      writing = (async () => {
        const shown: RecordedEvent[] = [];
        for (const { topic, partition, offset, appendedAt, value } of records) {
          const event = codec.decode(value as Buffer);
          if (isTaskEvent(event)) shown.push({ event, topic, partition, offset, appendedAt });
        }
        await writer.showRecorded(shown);
        const last = records.at(-1);
        if (last !== undefined) await writer.moveTo(new Map([[`${last.topic}/${last.partition}`, last.offset + 1]]));
      })();
      await writing;
    },
    signal: stopping.signal,
  });
  await follower.caughtUp;
  return {
    async hold() {
      gate = new Promise((resolve) => {
        open = resolve;
      });
      await writing;
    },
    goOn: () => open(),
    async stop() {
      open();
      stopping.abort();
      await follower.done;
      await writing;
    },
  };
}
