const LIMIT_MS = 5_000;

/** Ends a read of MongoDB that is not answered in time: its driver may wait for good (docs/decisions/0144). */
export function answerLimit(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS);
}
