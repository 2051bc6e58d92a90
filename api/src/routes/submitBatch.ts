import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { prefersMinimal } from '../http/prefer.ts';
import { batchShape, idempotencyKey, MAX_BATCH } from '../shapes/submission.ts';
import { taskShape } from '../shapes/task.ts';
import { acceptedAnswer } from '../submission/acceptedAnswer.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

const inOrder = 'In the order of the request';
const items = z.union([
  z.strictObject({ items: z.array(taskShape).describe(inOrder) }),
  z.strictObject({ items: z.array(taskShape.pick({ id: true })).describe(`${inOrder}; with \`return=minimal\``) }),
]);

const prefer = z
  .string()
  .optional()
  .describe(
    '`return=minimal`: answer with the ids alone. Tasks as they were accepted are several times what was sent.',
  );

export default defineEndpoint({
  method: 'post',
  path: '/tasks/batch',
  id: 'submitBatch',
  tag: 'Tasks',
  summary: `Submit up to ${MAX_BATCH.toLocaleString('en')} tasks at once`,
  description:
    'All tasks are checked first; with a fault in any of them nothing is submitted. An `Idempotency-Key` covers the batch.',
  headers: z.object({ 'idempotency-key': idempotencyKey, prefer }),
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
    const status = created ? 201 : 200;
    if (prefersMinimal(headers.prefer)) {
      const ids = tasks.map(({ event }) => ({ id: event.taskId }));
      return { status, headers: { 'Preference-Applied': 'return=minimal' }, json: { items: ids } };
    }
    if (created) return { status, json: { items: tasks.map(acceptedAnswer) } };
    const now = await reading.getMany(
      principal,
      tasks.map(({ event }) => event.taskId),
    );
    const items = tasks.map((task) => {
      const state = now.get(task.event.taskId);
      return state === undefined ? acceptedAnswer(task) : taskAnswer(state);
    });
    return { status, json: { items } };
  },
});
