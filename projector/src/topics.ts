import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import { eventsTopic, PRIORITIES, queueTopic } from '@taskflow/schemas/topics';

/** Both topic families of these types. */
export function taskTopics(types: readonly TaskTypeRegistered[]): string[] {
  return types.flatMap(({ type }) =>
    PRIORITIES.flatMap((priority) => [queueTopic(type, priority), eventsTopic(type, priority)]),
  );
}

/** The events topics of these types. */
export function eventsTopics(types: readonly TaskTypeRegistered[]): string[] {
  return types.flatMap(({ type }) => PRIORITIES.map((priority) => eventsTopic(type, priority)));
}
