import { within } from '@taskflow/service/within';

/** Later than the driver itself gives up on a server (`connectMongo`). */
const LIMIT_MS = 25_000;

/**
 * What MongoDB answers; rejects where nothing has come of an operation in time. The driver (7.9) waits for good where it is given
 * a connection in the moment between the end of its socket and the event that tells of it: such a socket never drains.
 */
export async function answered<T>(operation: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const answer = await within(limitMs, operation);
  if (answer === undefined) throw new Error(`MongoDB has not answered within ${limitMs} ms: timeout`);
  return answer;
}
