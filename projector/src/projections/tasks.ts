import { type TaskEvent, taskEventNames } from '@taskflow/schemas/events';
import { evolve, type TaskState } from '@taskflow/schemas/fold';
import type { TaskChange } from '@taskflow/service/taskChanges';
import { projection } from '../projection.ts';
import { RecentStates } from '../tasks/recentStates.ts';
import { selectTaskEvent } from '../tasks/selectTaskEvent.ts';
import { type Written, writeTasks } from '../tasks/writeTasks.ts';
import { taskTopics } from '../topics.ts';

export interface TasksViewOptions {
  /** Told after each commit which shown tasks have a new state. */
  readonly onChanges: (changes: readonly TaskChange[]) => void;
  /** How many states of unfinished tasks are remembered, about 3 KB each. */
  readonly remember?: number;
}

/** The tables `tasks`, `task_counts` and `dead_letters`: the state of each task, how many there are, and of which failures. */
export function tasksView({ onChanges, remember = 8_000 }: TasksViewOptions) {
  const recent = new RecentStates(remember);
  const names: ReadonlySet<string> = new Set(taskEventNames);
  return projection<TaskEvent, Map<string, TaskState>, Written>({
    name: 'tasks',
    version: 1,
    reads: taskTopics,
    wants: (name) => names.has(name),
    select: selectTaskEvent,
    empty: () => new Map(),
    fold(states, { event, record: { topic, partition, offset, appendedAt } }) {
      const { taskId } = event;
      states.set(taskId, evolve(states.get(taskId), { event, topic, partition, offset, appendedAt }));
    },
    write: (tx, states) => writeTasks(tx, states, recent),
    committed({ changes, xid }) {
      for (const { after } of changes) recent.written(after, xid);
      onChanges(changes.filter(({ after }) => after.submission !== null).map(({ after }) => changeOf(after)));
    },
    forget: () => recent.clear(),
  });
}

function changeOf({ id, version, status }: TaskState): TaskChange {
  return [id, version, status];
}
