import type { z } from 'zod';
import type { FieldError } from './problem.ts';

/** No answer lists more faults than this: the first ones are what a reader acts on. */
export const MAX_FIELD_ERRORS = 100;

type PathSegment = PropertyKey;

/** `['tasks', 1, 'payload', 'url']` → `tasks[1].payload.url`; names that are not plain words are quoted. */
export function fieldPath(segments: readonly PathSegment[]): string {
  let path = '';
  for (const segment of segments) {
    if (typeof segment === 'number') path += `[${segment}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(String(segment))) path += path === '' ? String(segment) : `.${String(segment)}`;
    else path += `[${JSON.stringify(String(segment))}]`;
  }
  return path;
}

/** The faults that zod found, one for each field; an unknown field is named itself, not its parent. */
export function fieldErrorsOf(error: z.ZodError, prefix: readonly PathSegment[] = []): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of error.issues) {
    const at = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) errors.push({ path: fieldPath([...at, key]), message: 'is not a known field' });
    } else {
      errors.push({ path: fieldPath(at), message: issue.message });
    }
    if (errors.length >= MAX_FIELD_ERRORS) break;
  }
  return errors.slice(0, MAX_FIELD_ERRORS);
}

/** A JSON pointer of Ajv (`/headers/a~1b/0`) as path segments; a segment of digits is an index of an array. */
export function pointerSegments(pointer: string): PathSegment[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^(0|[1-9]\d*)$/.test(part) ? Number(part) : part));
}
