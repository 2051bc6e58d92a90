import { evolve, type TaskState } from '@taskflow/schemas/fold';
import { recorded, someTask, taskEvent } from '@taskflow/schemas/testing/taskEvents';
import { expect } from 'chai';
import { rowOfTaskState, taskStateFromRow } from './taskRow.ts';

function stateOf(...events: Parameters<typeof recorded>[0][]): TaskState {
  return events.reduce<TaskState | undefined>(
    (state, event, offset) => evolve(state, recorded(event, offset)),
    undefined,
  )!;
}

const task = {
  ...someTask,
  payload: '{"text":"é \\u0000 \\"quoted\\""}',
  notRetryable: ['A', 'B'],
  expiresAt: 1_760_000_000_000,
  tags: ['plain', 'with "quotes", {braces} and \\', 'x'.repeat(600)],
  idempotencyKey: 'key',
  bodyHash: 'f'.repeat(64),
};

const states: [string, TaskState][] = [
  ['a queued task', stateOf(taskEvent('TaskQueued', { task }))],
  [
    'a task whose submission has not come',
    stateOf(taskEvent('TaskStarted'), taskEvent('TaskHeartbeat', { progress: 0.5 })),
  ],
  ['a success', stateOf(taskEvent('TaskQueued'), taskEvent('TaskStarted'), taskEvent('TaskSucceeded'))],
  ['a failure', stateOf(taskEvent('TaskQueued'), taskEvent('TaskStarted'), taskEvent('TaskFailed'))],
  [
    'a retry',
    stateOf(taskEvent('TaskQueued'), taskEvent('TaskRetryScheduled'), taskEvent('TaskQueued', { attempt: 2 })),
  ],
  [
    'a step of a run',
    stateOf(taskEvent('TaskScheduled', { runId: '01999999-2000-7000-8000-000000000001', stepId: 'a "step"' })),
  ],
];

describe('a row of tasks', () => {
  for (const [what, state] of states) {
    it(`holds all of ${what}`, () => {
      expect(taskStateFromRow(rowOfTaskState(state))).to.deep.equal(state);
    });
  }

  it('has in columns what is searched', () => {
    const [, failed] = states[3]!;
    expect(rowOfTaskState(failed)).to.include({
      status: 'failed',
      version: failed.version,
      created_at: failed.createdAt,
      finished_at: failed.finishedAt,
      error_code: 'HANDLER_ERROR',
      tags: null,
    });
  });

  it('has its tags as an array literal, but for those that no index could hold', () => {
    const [, queued] = states[0]!;
    expect(rowOfTaskState(queued).tags).to.equal('{"plain","with \\"quotes\\", {braces} and \\\\"}');
  });
});
