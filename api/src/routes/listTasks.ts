import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { defineEndpoint } from '../http/endpoint.ts';
import { pageShape, taskShape } from '../shapes/task.ts';
import { cursor, DEFAULT_PAGE, limit, requireOwn, taskFilters } from '../shapes/taskQuery.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

export default defineEndpoint({
  method: 'get',
  path: '/tasks',
  id: 'listTasks',
  tag: 'Tasks',
  summary: 'Tasks, the newest first',
  query: z.strictObject({ ...taskFilters, limit, cursor }),
  answers: { 200: { description: 'A page', schema: pageShape(taskShape) } },
  problems: ['invalid-cursor', 'forbidden', 'store-unavailable'],
  async handle({ principal, query }, { tasks }) {
    requireOwn(principal, query.user);
    const { limit: size = DEFAULT_PAGE, cursor: text, from, to, ...plain } = query;
    const filters = { ...plain, from: timeOf(from), to: timeOf(to) };
    // A cursor says where to go on in one list only: that of this principal under these filters.
    const list = JSON.stringify([principal.userId, filters]);
    const after = text === undefined ? undefined : decodeCursor(text, list);
    const found = await tasks.page(principal, filters, size + 1, after);
    const items = found.slice(0, size);
    const last = items.at(-1);
    const nextCursor =
      found.length <= size || last === undefined ? null : encodeCursor({ at: last.createdAt, id: last.id }, list);
    return { status: 200, json: { items: items.map(taskAnswer), nextCursor } };
  },
});
