/** The projections of this program; each file defines one. */
export { type TasksViewOptions, tasksView } from './projections/tasks.ts';
