import type { Keyset } from '../http/cursor.ts';
import type { Principal } from '../http/principal.ts';
import type { ShownState } from './taskAnswer.ts';

/** What lists of tasks can be narrowed by. */
export interface TaskFilters {
  readonly user?: string | undefined;
  readonly type?: string | undefined;
  readonly status?: string | undefined;
  readonly priority?: string | undefined;
  readonly tag?: string | undefined;
  /** Of the error that the task shows. */
  readonly errorCode?: string | undefined;
  /** From this creation time on, in milliseconds. */
  readonly from?: number | undefined;
  /** Before this creation time. */
  readonly to?: number | undefined;
}

export interface TaskCount {
  readonly type: string;
  readonly status: string;
  readonly count: number;
}

export interface DeadLetters {
  readonly type: string;
  readonly code: string;
  readonly count: number;
  /** When the last of them failed. */
  readonly lastAt: number;
}

/**
 * The view `tasks`, as one principal may see it: to anybody else than its owner and an admin, a task is not there. Each
 * question is answered as the view is now; `taskReading.ts` waits for what is still on its way.
 */
export interface TaskView {
  get(principal: Principal, id: string): Promise<ShownState | undefined>;
  /** Those that are there, by id. */
  getMany(principal: Principal, ids: readonly string[]): Promise<ReadonlyMap<string, ShownState>>;
  /** By (createdAt, id) descending, after a place in that order. */
  page(principal: Principal, filters: TaskFilters, limit: number, after: Keyset | undefined): Promise<ShownState[]>;
  counts(principal: Principal, filters: Pick<TaskFilters, 'user' | 'type'>): Promise<TaskCount[]>;
  /** Failed tasks by type and error code. */
  deadLetters(principal: Principal, filters: Pick<TaskFilters, 'user' | 'type'>): Promise<DeadLetters[]>;
}
