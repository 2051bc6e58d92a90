import { type TaskEvent, taskEventNames } from '@taskflow/schemas/events';
import { stateOf, type TaskState } from '@taskflow/schemas/fold';
import { queueTopic } from '@taskflow/schemas/topics';
import type { TaskChange } from '@taskflow/service/taskChanges';
import { projection } from '../projection.ts';
import { createQueuePacing } from '../queuePacing.ts';
import { carryOverQueued, type GatheredTasks, gatherEvent, noTasks } from '../tasks/gatheredTasks.ts';
import { NewRows } from '../tasks/newRows.ts';
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
  const newRows = new NewRows();
  return projection<TaskEvent, GatheredTasks, readonly TaskState[]>({
    name: 'tasks',
    version: 1,
    reads: taskTopics,
    wants: (name) => names.has(name),
    select: selectTaskEvent,
    queuePacing,
    empty: noTasks,
    fold(gathered, { event, record: { topic, partition, offset, appendedAt } }) {
      if (event.event === 'TaskStarted') {
        queuePacing.started(queueTopic(event.type, event.priority), event.queuePartition, event.queueOffset);
      }
      gatherEvent(gathered, { event, topic, partition, offset, appendedAt });
    },
    mayWait: ({ event }) => event === 'TaskQueued',
    carryOver: carryOverQueued,
    prepare: ({ tasks }) => taskWrite([...tasks.values()].map(stateOf), newRows),
    committed: (changed) => onChanges(changed.map(changeOf)),
  });
}

function changeOf({ id, version, status }: TaskState): TaskChange {
  return [id, version, status];
}
