import type { TaskTypeRegistered } from '@taskflow/schemas/events';
import type { Logger } from '@taskflow/service/logger';
import { type CheckPayload, compilePayloadCheck } from './submission/payloadChecks.ts';

/** A task type as the api uses it. */
export interface KnownType {
  readonly registered: TaskTypeRegistered;
  /** Undefined where the published schema cannot be used: then no task of the type can be accepted. */
  readonly check: CheckPayload | undefined;
}

/** The types that workers have published, by name, as they are now. */
export interface TypeCatalogue {
  get(name: string): KnownType | undefined;
  /** In the order of their names. */
  all(): readonly KnownType[];
}

/** What `@taskflow/service/taskTypes` follows; the latest registration of each type. */
export interface Registrations {
  get(name: string): TaskTypeRegistered | undefined;
  all(): Iterable<TaskTypeRegistered>;
}

/** Compiles the payload check of each registration once, when it is first needed. */
export function typeCatalogue(registrations: Registrations, logger: Logger): TypeCatalogue {
  const compiled = new Map<string, { readonly schema: string; readonly type: KnownType }>();
  const known = (registered: TaskTypeRegistered): KnownType => {
    const before = compiled.get(registered.type);
    if (before?.type.registered === registered) return before.type;
    // Each worker registers its types at its start; mostly they say what was said before.
    const check = before?.schema === registered.payloadSchema ? before.type.check : checkOf(registered, logger);
    const type = { registered, check };
    compiled.set(registered.type, { schema: registered.payloadSchema, type });
    return type;
  };
  return {
    get(name) {
      const registered = registrations.get(name);
      return registered === undefined ? undefined : known(registered);
    },
    all: () => [...registrations.all()].sort((a, b) => (a.type < b.type ? -1 : 1)).map(known),
  };
}

function checkOf(registered: TaskTypeRegistered, logger: Logger): CheckPayload | undefined {
  try {
    return compilePayloadCheck(registered.payloadSchema);
  } catch (error) {
    logger.error('No task of this type can be accepted: its published payload schema cannot be used', {
      type: registered.type,
      version: registered.version,
      error,
    });
    return undefined;
  }
}
