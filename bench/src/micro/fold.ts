import {
  evolve,
  type GatheredEvents,
  gather,
  type RecordedEvent,
  stateOf,
  type TaskState,
} from '@taskflow/schemas/fold';
import { rowOfTaskState, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Table } from '../benchmark.ts';
import { EVENTS, noopTask, QUEUE } from './noopEvents.ts';
import { timeOfCall } from './timed.ts';

/** What folding the three events of a no-op task costs, and its row in both directions. */
export function foldTable(): Table {
  const { queued, started, succeeded } = noopTask(7, 2);
  const recorded = [queued, started, succeeded].map((event, offset): RecordedEvent => {
    const place = event.event === 'TaskQueued' ? { topic: QUEUE, partition: 0 } : { topic: EVENTS, partition: 2 };
    return { event, ...place, offset, appendedAt: event.occurredAt };
  });
  const gathered = (): GatheredEvents =>
    recorded.reduce<GatheredEvents | undefined>((before, event) => gather(before, event), undefined)!;
  const state = stateOf(gathered());
  const row = rowOfTaskState(state);
  const rows: readonly (readonly [string, () => unknown])[] = [
    ['gather three events, state of them', () => stateOf(gathered())],
    [
      'evolve by three events',
      () => recorded.reduce<TaskState | undefined>((before, event) => evolve(before, event), undefined),
    ],
    ['row of the state', () => rowOfTaskState(state)],
    ['state of the row', () => taskStateFromRow(row)],
  ];
  return {
    title: 'fold, nanoseconds a task',
    rows: rows.map(([step, call]) => {
      const { median, best } = timeOfCall(call);
      return { step, nanoseconds: Math.round(median), best: Math.round(best) };
    }),
  };
}
