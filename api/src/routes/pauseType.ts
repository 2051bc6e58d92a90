import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { commandBody, MAX_COMMAND_BYTES } from '../shapes/command.ts';
import { typeAnswer, typeShape } from '../shapes/taskType.ts';
import { typeName } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/pause',
  id: 'pauseType',
  tag: 'Task types',
  summary: 'Stop starting tasks of a type',
  description:
    'Workers take no more of its tasks; what runs ends, what is submitted waits, and `expiresAt` goes on counting. For administrators.',
  params: z.strictObject({ type: typeName }),
  body: { schema: commandBody, maxBytes: () => MAX_COMMAND_BYTES, optional: true },
  answers: { 200: { description: 'It is paused', schema: typeShape } },
  problems: ['forbidden', 'type-not-found', 'log-unavailable', 'overloaded'],
  async handle({ id: requestId, principal, params: { type }, body }, { typeCommands }) {
    const known = await typeCommands.pause({ principal, type, reason: body.reason ?? null, requestId });
    return { status: 200, json: typeAnswer(known, typeCommands.isPaused(type)) };
  },
});
