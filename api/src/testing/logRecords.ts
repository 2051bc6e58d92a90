import type { TaskEvent } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { codec, type TestApi } from './testApi.ts';

/** Appends events as workers do, to the events partition that is given. */
export async function appendEvents(api: TestApi, events: readonly TaskEvent[], eventsPartition: number): Promise<void> {
  await api.appender.append(
    events.map((event) => {
      const queued = event.event === 'TaskQueued';
      const topic = (queued ? queueTopic : eventsTopic)(event.type, event.priority);
      return { topic, partition: queued ? 0 : eventsPartition, key: event.taskId, value: codec.encode(event) };
    }),
  );
}
