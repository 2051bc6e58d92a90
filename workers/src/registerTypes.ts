import { uuidv7 } from '@taskflow/core/ids';
import { resolveOptions } from '@taskflow/core/options';
import { retrying } from '@taskflow/log/backoff';
import { BrokerUnavailableError } from '@taskflow/log/errors';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import { typesTopic } from '@taskflow/schemas/topics';
import type { AnyTaskDefinition } from './defineTask.ts';
import { publishedSchema } from './publishedSchema.ts';
import type { LogAppender } from './runtime/ports.ts';

/** For a broker that is slow or away while this process starts. */
const PATIENCE_MS = 60_000;

/** Writes the types that this process runs to the catalogue, `taskflow.types`. Resolves when they are on the log. */
export async function registerTypes(
  definitions: readonly AnyTaskDefinition[],
  { workerId, appender, codec }: { workerId: string; appender: LogAppender; codec: Codec },
): Promise<void> {
  const now = Date.now();
  const records = definitions.map((definition) => ({
    topic: typesTopic,
    partition: 0,
    key: definition.type,
    value: codec.encode(registrationOf(definition, workerId, now)),
  }));
  // What is written twice is the same.
  await retrying(() => appender.append(records), {
    forMs: PATIENCE_MS,
    when: (error) => error instanceof BrokerUnavailableError,
  });
}

/** What the catalogue says of a type. */
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
