import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { batchShape, idempotencyKey, MAX_BATCH } from '../shapes/submission.ts';
import { taskShape } from '../shapes/task.ts';
import { acceptedAnswer } from '../submission/acceptedAnswer.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

const items = z.strictObject({ items: z.array(taskShape).describe('In the order of the request') });

export default defineEndpoint({
  method: 'post',
  path: '/tasks/batch',
  id: 'submitBatch',
  tag: 'Tasks',
  summary: `Submit up to ${MAX_BATCH.toLocaleString('en')} tasks at once`,
  description:
    'All tasks are checked first; with a fault in any of them nothing is submitted. An `Idempotency-Key` covers the batch.',
  headers: z.object({ 'idempotency-key': idempotencyKey }),
  body: { schema: batchShape, maxBytes: (limits) => limits.maxBatchBytes },
  answers: {
    201: { description: 'All were accepted', schema: items },
    200: {
      description: 'A request with this idempotency key and body was accepted before; its tasks as they are now',
      schema: items,
    },
  },
  problems: [
    'unknown-type',
    'idempotency-conflict',
    'log-unavailable',
    'partly-accepted',
    'store-unavailable',
    'type-unusable',
    'overloaded',
  ],
  async handle({ principal, headers, body }, { submissions, reading }) {
    const { created, tasks } = await submissions.submit(principal, body.tasks, true, headers['idempotency-key'], body);
    if (created) return { status: 201, json: { items: tasks.map(acceptedAnswer) } };
    const now = await reading.getMany(
      principal,
      tasks.map(({ event }) => event.taskId),
    );
    const items = tasks.map((task) => {
      const state = now.get(task.event.taskId);
      return state === undefined ? acceptedAnswer(task) : taskAnswer(state);
    });
    return { status: 200, json: { items } };
  },
});
