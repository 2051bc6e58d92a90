import type { TaskTypeRegistered } from '@taskflow/schemas/events';

const common = {
  event: 'TaskTypeRegistered',
  version: 1,
  runtime: 'typescript',
  resultSchema: '{}',
  takeover: 'at-once',
  maxAttempts: 3,
  backoffBaseMs: 1_000,
  backoffFactor: 2,
  backoffCapMs: 300_000,
  notRetryable: ['HTTP_STATUS'],
  timeoutMs: 30_000,
  priority: 'normal',
  workerId: 'worker-1.1.aaaa',
  eventId: '01890a5d-ac96-774b-bcce-b302099a8057',
  occurredAt: 1_700_000_000_000,
} as const;

/** One type that takes any object, and one that takes a URL as fetching types do. */
export function testTypes(names: { readonly any: string; readonly page: string }): TaskTypeRegistered[] {
  return [
    { ...common, type: names.any, resultStorage: 'inline', payloadSchema: JSON.stringify({ type: 'object' }) },
    {
      ...common,
      type: names.page,
      resultStorage: 'mongo',
      payloadSchema: JSON.stringify({
        type: 'object',
        properties: { url: { type: 'string', maxLength: 2_000, pattern: '^[hH][tT][tT][pP][sS]?://' } },
        required: ['url'],
        additionalProperties: false,
      }),
    },
  ];
}
