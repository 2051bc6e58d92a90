import type { TaskQueued } from '@taskflow/schemas/events';
import { platformDefaults } from '../options.ts';
import { decideSubmit } from '../submit.ts';

/** A queued task for tests: what `decideSubmit` gives for `{ type: 'noop', payload: {} }`, changed as asked. */
export function queuedEvent(changes: Partial<TaskQueued> = {}): TaskQueued {
  const context = {
    now: 1_760_000_000_000,
    taskId: '01999999-0000-7000-8000-000000000001',
    eventId: '01999999-0000-7000-8000-000000000002',
    userId: '00000000-0000-4000-8000-000000000001',
    eventsPartitions: 3,
    defaults: platformDefaults,
  };
  return { ...decideSubmit({ type: 'noop', payload: {} }, context), ...changes };
}
