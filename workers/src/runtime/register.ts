import { uuidv7 } from '@taskflow/core/ids';
import { resolveOptions } from '@taskflow/core/options';
import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import type { AnyTaskDefinition } from '../defineTask.ts';
import { publishedSchema } from '../publishedSchema.ts';

/** What `taskflow.types` says of a definition. */
export function registrationOf(definition: AnyTaskDefinition, workerId: string, now: number): TaskTypeRegistered {
  return {
    event: 'TaskTypeRegistered',
    type: definition.type,
    version: definition.version,
    runtime: 'typescript',
    payloadSchema: JSON.stringify(publishedSchema(definition.payload, 'input')),
    resultSchema: JSON.stringify(publishedSchema(definition.result, 'output')),
    resultStorage: definition.inline ? 'inline' : 'mongo',
    takeover: definition.takeover ?? 'at-once',
    ...resolveOptions(definition.defaults ?? {}),
    workerId,
    eventId: uuidv7(now),
    occurredAt: now,
  };
}
