/** Prints how long the fold takes for an event, and the history's JSON for a task, on this machine. */
import type { TaskEvent } from '../src/events.ts';
import {
  evolve,
  historyFromJson,
  historyToJson,
  merge,
  type RecordedEvent,
  restoreState,
  type TaskState,
} from '../src/fold.ts';
import { recorded, taskEvent } from '../src/testing/taskEvents.ts';

const names: readonly TaskEvent['event'][] = ['TaskQueued', 'TaskStarted', 'TaskSucceeded'];
const tasks = 20_000;
const log: RecordedEvent[] = [];
for (let task = 0; task < tasks; task++) {
  const taskId = `01999999-0000-7000-8000-${String(task).padStart(12, '0')}`;
  for (const name of names) log.push(recorded({ ...taskEvent(name), taskId }, log.length));
}

let states = new Map<string, TaskState>();

function foldAll(): void {
  states = new Map();
  for (const record of log) states.set(record.event.taskId, evolve(states.get(record.event.taskId), record));
}

function measure(what: string, times: number, run: () => void): void {
  run();
  const rounds = 10;
  const start = performance.now();
  for (let i = 0; i < rounds; i++) run();
  const microseconds = ((performance.now() - start) * 1000) / rounds / times;
  console.log(`${what}: ${microseconds.toFixed(2)} µs`);
}

measure('evolve, an event', log.length, foldAll);
const all = [...states.values()];
const histories = all.map((state) => historyToJson(state.history));
console.log(`history of a task: ${histories[0]!.length} bytes of JSON`);
measure('historyToJson, a task', tasks, () => {
  for (const state of all) historyToJson(state.history);
});
measure('historyFromJson and restoreState, a task', tasks, () => {
  for (const [i, state] of all.entries()) restoreState({ ...state, history: historyFromJson(histories[i]!) });
});
const withoutEnds = log.filter((_, i) => i % 3 !== 2);
const others = new Map<string, TaskState>();
for (const record of withoutEnds) others.set(record.event.taskId, evolve(others.get(record.event.taskId), record));
measure('merge, a task', tasks, () => {
  for (const state of all) merge(others.get(state.id)!, state);
});
