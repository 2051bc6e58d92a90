import { hasEnded, type TaskStatus } from '@taskflow/schemas/fold';
import { isRedrivable } from './redrive.ts';

export type BulkAction = 'cancel' | 'retry';

const allStatuses: readonly TaskStatus[] = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'success',
  'failed',
  'cancelled',
];

/** The statuses that an action on many tasks applies to, within those that its filter names (all where it names none). */
export function bulkStatuses(action: BulkAction, filter?: readonly TaskStatus[]): readonly TaskStatus[] {
  return allStatuses.filter((status) => isBulkTarget(action, status) && (filter?.includes(status) ?? true));
}

/** Asked for each task again when its turn comes: it may have moved on since it was matched, and is then left as it is. */
export function isBulkTarget(action: BulkAction, status: TaskStatus): boolean {
  return action === 'cancel' ? !hasEnded(status) : isRedrivable(status);
}
