import { errorCodePattern } from '@taskflow/core/errorCodes';
import { maxDetailsCharacters, maxMessageCharacters } from '@taskflow/core/outcome';
import type { TaskError as TaskErrorRecord } from '@taskflow/schemas/events';
import type { z } from 'zod';
import { TaskError } from '../taskError.ts';
import { cleanJson, cleanText } from './cleanJson.ts';

/** The error that a run ends with, from whatever its handler threw. Never throws itself: handlers throw anything. */
export function failureOf(thrown: unknown): TaskErrorRecord {
  try {
    if (thrown instanceof TaskError) {
      if (!errorCodePattern.test(thrown.code)) {
        return handlerError(
          boundedText(`The handler threw the error code ${JSON.stringify(thrown.code)}: ${thrown.message}`),
        );
      }
      return {
        code: thrown.code,
        message: boundedText(thrown.message),
        retryable: thrown.retryable,
        details: thrown.details === undefined ? null : boundedDetails(thrown.details),
      };
    }
    if (thrown instanceof Error) {
      const code = (thrown as NodeJS.ErrnoException).code;
      return {
        code: 'HANDLER_ERROR',
        message: boundedText(`${thrown.name}: ${thrown.message}`),
        retryable: true,
        details: typeof code === 'string' ? boundedDetails({ code }) : null,
      };
    }
    return handlerError(`The handler threw ${boundedText(String(thrown))}`);
  } catch {
    return handlerError('The handler threw something that cannot be described');
  }
}

/** What a schema refused, the fields named. */
export function refusal(code: 'PAYLOAD_INVALID' | 'RESULT_INVALID', error: z.ZodError): TaskErrorRecord {
  const issues = error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  const [first] = issues;
  const what = code === 'PAYLOAD_INVALID' ? 'The payload' : 'What the handler returned';
  return {
    code,
    message: boundedText(`${what} is not valid: ${first?.path ? `${first.path}: ` : ''}${first?.message ?? ''}`),
    retryable: false,
    details: boundedDetails({ issues }),
  };
}

export function failure(code: string, message: string, retryable: boolean): TaskErrorRecord {
  return { code, message, retryable, details: null };
}

const handlerError = (message: string) => failure('HANDLER_ERROR', message, true);

const boundedText = (text: string) => cleanText(text.slice(0, maxMessageCharacters));

function boundedDetails(details: unknown): string | null {
  const text = cleanJson(details);
  return text.length <= maxDetailsCharacters ? text : null;
}
