import { priorityShape } from '@taskflow/core/options';
import { z } from 'zod';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import { errorCode, integerText, status, tag, time, typeName, uuid } from './values.ts';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 500;

export const user = uuid
  .optional()
  .describe('The owner. Others than oneself only for an admin, who sees all without it');

/** The parameters by which a list of tasks is narrowed. */
export const taskFilters = {
  user,
  type: typeName.optional(),
  status: status.optional(),
  priority: priorityShape.optional(),
  tag: tag.optional(),
  errorCode: errorCode.optional(),
  from: time.optional().describe('Created at this time or later'),
  to: time.optional().describe('Created before this time'),
};

export const limit = integerText(1, MAX_PAGE, `Items of a page; ${DEFAULT_PAGE} without it`).optional();
export const cursor = z
  .string()
  .max(200)
  .optional()
  .describe('The `nextCursor` of the page before, under the same filters');

/** A user may name no other user than itself. */
export function requireOwn(principal: Principal, asked: string | undefined): void {
  if (asked !== undefined && asked !== principal.userId && principal.role !== 'admin') {
    throw new Problem('forbidden', "Other users' tasks can only be listed by an administrator.");
  }
}
