import { z } from 'zod';

/**
 * The JSON Schema (2020-12) under which a schema is published. It must refuse all that the schema refuses, since the api
 * knows nothing else: zod drops refinements and regex flags here, so types avoid them or say the same with `.meta(…)`;
 * `examples.ts` in the folder of a type holds it to that.
 */
export function publishedSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'throw' });
}
