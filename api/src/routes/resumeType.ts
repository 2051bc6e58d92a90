import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { commandBody, MAX_COMMAND_BYTES } from '../shapes/command.ts';
import { typeAnswer, typeShape } from '../shapes/taskType.ts';
import { typeName } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/resume',
  id: 'resumeType',
  tag: 'Task types',
  summary: 'Start tasks of a type again',
  description: 'Workers take its tasks again. For administrators.',
  params: z.strictObject({ type: typeName }),
  body: { schema: commandBody, maxBytes: () => MAX_COMMAND_BYTES, optional: true },
  answers: { 200: { description: 'It is not paused', schema: typeShape } },
  problems: ['forbidden', 'type-not-found', 'log-unavailable', 'overloaded'],
  async handle({ id: requestId, principal, params: { type }, body }, { typeCommands }) {
    const known = await typeCommands.resume({ principal, type, reason: body.reason ?? null, requestId });
    return { status: 200, json: typeAnswer(known, typeCommands.isPaused(type)) };
  },
});
