import type { TaskError as TaskErrorRecord } from '@taskflow/schemas/events';
import type { StoredBlob } from '@taskflow/service/blobStore';
import type { AnyTaskDefinition } from '../defineTask.ts';
import { FileResult } from '../taskBlobs.ts';
import { cleanJson, jsonDepth } from './cleanJson.ts';
import { failure, refusal } from './failure.ts';

/** Results that nest deeper are refused by document stores. */
const MAX_RESULT_DEPTH = 64;
const PREVIEW_CHARACTERS = 200;

export type ReadPayload = { readonly payload: unknown } | { readonly refused: TaskErrorRecord };

/** The payload as the handler gets it: checked, with its defaults. */
export function readPayload(definition: AnyTaskDefinition, text: string): ReadPayload {
  try {
    const parsed = definition.payload.safeParse(JSON.parse(text));
    return parsed.success ? { payload: parsed.data } : { refused: refusal('PAYLOAD_INVALID', parsed.error) };
  } catch {
    return { refused: failure('PAYLOAD_INVALID', 'The payload is not JSON', false) };
  }
}

export type ReadResult =
  /** JSON text: the result, or the figures of a file that is stored already. */
  | { readonly text: string; readonly preview: string | undefined; readonly file: StoredBlob | undefined }
  | { readonly refused: TaskErrorRecord };

/** What a handler returned, checked, as text that every store takes. */
export function readResult(definition: AnyTaskDefinition, value: unknown): ReadResult {
  try {
    const file = value instanceof FileResult ? value : undefined;
    const parsed = definition.result.safeParse(file ? file.figures : value);
    if (!parsed.success) return { refused: refusal('RESULT_INVALID', parsed.error) };
    const text = cleanJson(parsed.data);
    if (text.length > 2 * MAX_RESULT_DEPTH && jsonDepth(text) > MAX_RESULT_DEPTH) {
      const message = `The result nests deeper than ${MAX_RESULT_DEPTH} levels`;
      return { refused: failure('RESULT_INVALID', message, false) };
    }
    const preview = definition.preview?.(parsed.data as never)?.slice(0, PREVIEW_CHARACTERS);
    return { text, preview, file: file?.blob };
  } catch (error) {
    // Circular, a BigInt, a getter or a preview that throws.
    const message = `The result cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { refused: failure('RESULT_INVALID', message.slice(0, 500), false) };
  }
}
