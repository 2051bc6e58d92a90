/** The projections of this program; each file of `projections/` defines one. */
export { resultsView } from './projections/results.ts';
export { taskLogsView } from './projections/taskLogs.ts';
export { type TasksViewOptions, tasksView } from './projections/tasks.ts';
