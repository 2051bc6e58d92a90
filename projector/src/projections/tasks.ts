import { type TaskEvent, taskEventNames } from '@taskflow/schemas/events';
import { type GatheredEvents, gather, stateOf, type TaskState } from '@taskflow/schemas/fold';
import { queueTopic } from '@taskflow/schemas/topics';
import type { TaskChange } from '@taskflow/service/taskChanges';
import { projection } from '../projection.ts';
import { createQueuePacing } from '../queuePacing.ts';
import { selectTaskEvent } from '../tasks/selectTaskEvent.ts';
import { taskWrite } from '../tasks/writeTasks.ts';
import { taskTopics } from '../topics.ts';

export interface TasksViewOptions {
  /** Told after each commit which shown tasks have a new state. */
  readonly onChanges: (changes: readonly TaskChange[]) => void;
}

/** The tables `tasks`, `task_counts` and `dead_letters`: the state of each task, how many there are, and of which failures. */
export function tasksView({ onChanges }: TasksViewOptions) {
  const names: ReadonlySet<string> = new Set(taskEventNames);
  const queuePacing = createQueuePacing();
  return projection<TaskEvent, Map<string, GatheredEvents>, readonly TaskState[]>({
    name: 'tasks',
    version: 1,
    reads: taskTopics,
    wants: (name) => names.has(name),
    select: selectTaskEvent,
    queuePacing,
    empty: () => new Map(),
    fold(tasks, { event, record: { topic, partition, offset, appendedAt } }) {
      const { taskId } = event;
      if (event.event === 'TaskStarted') {
        queuePacing.started(queueTopic(event.type, event.priority), event.queuePartition, event.queueOffset);
      }
      const gathered = tasks.get(taskId);
      const now = gather(gathered, { event, topic, partition, offset, appendedAt });
      if (gathered === undefined) tasks.set(taskId, now);
    },
    prepare: (tasks) => taskWrite([...tasks.values()].map(stateOf)),
    committed: (changed) => onChanges(changed.map(changeOf)),
  });
}

function changeOf({ id, version, status }: TaskState): TaskChange {
  return [id, version, status];
}
