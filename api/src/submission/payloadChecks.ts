import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { pointerSegments } from '../http/fieldErrors.ts';

/** A fault in a payload: the path within it, and what is wrong there. */
export interface PayloadFault {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

/** Returns the first fault of a payload, or undefined where the type's schema takes it. */
export type CheckPayload = (payload: unknown) => PayloadFault | undefined;

/** The published schema cannot be used: what it says is not JSON Schema, or holds what Ajv does not know. */
export class UnusableSchemaError extends Error {
  override readonly name = 'UnusableSchemaError';
}

/**
 * Compiles the JSON Schema (2020-12) that a type has published. Strict: a keyword or format that is not known would
 * otherwise let through what the worker refuses. Only the first fault is looked for, as looking for all lets a caller
 * choose how long it takes.
 */
export function compilePayloadCheck(schemaText: string): CheckPayload {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: false,
    ownProperties: true,
  });
  addFormats.default(ajv);
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(JSON.parse(schemaText) as object);
  } catch (error) {
    throw new UnusableSchemaError(`The payload schema cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return (payload) => {
    if (validate(payload)) return undefined;
    const error = validate.errors?.[0];
    return error === undefined ? { at: [], message: 'is not valid' } : faultOf(error);
  };
}

function faultOf(error: ErrorObject): PayloadFault {
  const at = pointerSegments(error.instancePath);
  if (error.propertyName !== undefined) {
    return { at: [...at, error.propertyName], message: `has a name that ${error.message ?? 'is not allowed'}` };
  }
  switch (error.keyword) {
    case 'required':
      return { at: [...at, String(error.params.missingProperty)], message: 'is required' };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = error.params.additionalProperty ?? error.params.unevaluatedProperty;
      return { at: [...at, String(name)], message: 'is not a known field' };
    }
    case 'enum':
      return {
        at,
        message: `must be one of ${(error.params.allowedValues as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`,
      };
    case 'const':
      return { at, message: `must be ${JSON.stringify(error.params.allowedValue)}` };
    default:
      return { at, message: error.message ?? 'is not valid' };
  }
}
