import { expect } from 'chai';
import { bulkStatuses } from './bulk.ts';
import { type CommandedTask, decideCancel } from './cancel.ts';
import { isSignalSpent } from './control.ts';
import { decideRedrive } from './redrive.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

const { taskId: id, userId, type, priority, task: submission } = queuedEvent();
const task: CommandedTask = {
  id,
  userId,
  type,
  priority,
  runId: null,
  stepId: null,
  status: 'running',
  generation: 1,
  attempt: 2,
};
const context = {
  now: 5,
  eventId: '01999999-0000-7000-8000-0000000000f1',
  signalId: '01999999-0000-7000-8000-0000000000f2',
  actor: userId,
  reason: 'no longer needed',
};

describe('decideCancel', () => {
  for (const status of ['scheduled', 'queued', 'running', 'retrying'] as const) {
    it(`cancels what is ${status}: the end first, then the signal`, () => {
      const decision = decideCancel({ ...task, status }, context);
      if (decision.kind !== 'cancel') throw new Error('refused');
      expect(decision.event).to.include({
        event: 'TaskCancelled',
        taskId: id,
        generation: 1,
        attempt: 2,
        actor: userId,
        reason: 'no longer needed',
      });
      expect(decision.signal).to.include({ event: 'TaskCancelRequested', taskId: id, generation: 1, type, priority });
      expect(decision.signal.eventId).not.to.equal(decision.event.eventId);
    });
  }

  for (const status of ['success', 'failed', 'cancelled'] as const) {
    it(`refuses what is ${status}`, () => {
      expect(decideCancel({ ...task, status }, context)).to.deep.equal({ kind: 'refused', status });
    });
  }
});

describe('decideRedrive', () => {
  const ended = { ...task, submission: { ...submission, expiresAt: 7 } };
  const how = { now: 5, eventId: context.eventId, eventsPartition: 2, check: false, actor: userId, reason: 'fixed' };

  it('opens a failed or cancelled task in the next generation, with nothing counted and no expiry', () => {
    for (const status of ['failed', 'cancelled'] as const) {
      const decision = decideRedrive({ ...ended, status }, how);
      if (decision.kind !== 'redrive') throw new Error('refused');
      expect(decision.event).to.include({
        event: 'TaskQueued',
        generation: 2,
        attempt: 1,
        failures: 0,
        recoveries: 0,
        cause: 'redrive',
        eventsPartition: 2,
        actor: userId,
        reason: 'fixed',
      });
      expect(decision.event.task.expiresAt).to.equal(null);
    }
  });

  it('refuses all else', () => {
    for (const status of ['scheduled', 'queued', 'running', 'retrying', 'success'] as const) {
      expect(decideRedrive({ ...ended, status }, how)).to.deep.equal({ kind: 'refused', status });
    }
  });
});

describe('bulkStatuses', () => {
  it('cancels what has not ended, and retries what failed or was cancelled', () => {
    expect(bulkStatuses('cancel')).to.deep.equal(['scheduled', 'queued', 'running', 'retrying']);
    expect(bulkStatuses('retry')).to.deep.equal(['failed', 'cancelled']);
  });

  it('stays within the filter', () => {
    expect(bulkStatuses('retry', ['failed', 'running'])).to.deep.equal(['failed']);
  });
});

describe('isSignalSpent', () => {
  const none = { hasTimer: false, hasOutboxRow: false };

  it('holds once the group has passed the task’s last record', () => {
    expect(isSignalSpent(9, 9, none)).to.equal(false);
    expect(isSignalSpent(9, 10, none)).to.equal(true);
    expect(isSignalSpent(undefined, 0, none)).to.equal(true);
  });

  it('waits for what may still be queued', () => {
    expect(isSignalSpent(9, 10, { ...none, hasTimer: true })).to.equal(false);
    expect(isSignalSpent(9, 10, { ...none, hasOutboxRow: true })).to.equal(false);
  });
});
