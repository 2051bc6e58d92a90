import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import { eventsTopic, PRIORITIES, parseTaskTopic, queueTopic } from '@taskflow/schemas/topics';

/** Both topic families of these types. */
export function taskTopics(types: readonly Pick<TaskTypeRegistered, 'type'>[]): string[] {
  return types.flatMap(({ type }) =>
    PRIORITIES.flatMap((priority) => [queueTopic(type, priority), eventsTopic(type, priority)]),
  );
}

/** A partition of an events topic: the tasks whose events lie there are in the hands of whoever reads it. */
export interface Lane {
  readonly type: string;
  readonly priority: string;
  readonly eventsPartition: number;
}

/** The lanes among these partitions. */
export function lanesOf(partitions: readonly { readonly topic: string; readonly partition: number }[]): Lane[] {
  return partitions.flatMap(({ topic, partition }) => {
    const parsed = parseTaskTopic(topic);
    if (parsed?.family !== 'events') return [];
    return [{ type: parsed.type, priority: parsed.priority, eventsPartition: partition }];
  });
}

export function laneKey({ type, priority, eventsPartition }: Lane): string {
  return `${type}.${priority}.${eventsPartition}`;
}

/** The parameters of `unnest($1::text[], $2::text[], $3::int[])`. */
export function laneParameters(lanes: readonly Lane[]): [types: string[], priorities: string[], partitions: number[]] {
  return [
    lanes.map(({ type }) => type),
    lanes.map(({ priority }) => priority),
    lanes.map(({ eventsPartition }) => eventsPartition),
  ];
}
