import type { AppendedPosition, Appender, AppendRecord } from '@taskflow/log/appender';
import { BackPressureError, PartialAppendError, RecordTooLargeError } from '@taskflow/log/errors';

/** How long a success speaks for the log. */
const FRESH_MS = 5_000;

/** An append that tells how the log is, and the question how it is. */
export interface LogHealth {
  append(records: readonly AppendRecord[]): Promise<readonly AppendedPosition[]>;
  /** Resolves where the log takes records, as far as can be known; rejects where it does not answer. */
  ask(): Promise<void>;
}

/**
 * What was appended a moment ago proves more than any question, and on a machine that is busy with accepting tasks a question
 * may take long. So the log is asked only where nothing was appended lately, or an append failed.
 */
export function logHealth(appender: Pick<Appender, 'append'>, question: () => Promise<unknown>): LogHealth {
  let successAt = Number.NEGATIVE_INFINITY;
  const succeeded = () => {
    successAt = performance.now();
  };
  return {
    async append(records) {
      try {
        const positions = await appender.append(records);
        succeeded();
        return positions;
      } catch (error) {
        if (!saysNothing(error)) successAt = Number.NEGATIVE_INFINITY;
        throw error;
      }
    },
    async ask() {
      if (performance.now() - successAt < FRESH_MS) return;
      await question();
      succeeded();
    },
  };
}

/** Errors that are about the records and not about the log. */
function saysNothing(error: unknown): boolean {
  return (
    error instanceof RecordTooLargeError || error instanceof BackPressureError || error instanceof PartialAppendError
  );
}
