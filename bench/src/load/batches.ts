import type { Pool } from 'undici';

/** Bodies of `POST /tasks/batch`, made before the clock starts so that the generator costs nothing while it runs. */
export function batchBodies(type: string, tasks: number, tasksABatch: number): string[] {
  const bodies: string[] = [];
  for (let first = 0; first < tasks; first += tasksABatch) {
    const count = Math.min(tasksABatch, tasks - first);
    bodies.push(JSON.stringify({ tasks: Array.from({ length: count }, () => ({ type, payload: {} })) }));
  }
  return bodies;
}

/**
 * Submits the bodies in order with at most `inFlight` requests at once.
 * Rejects at the first answer that is not 201, with what the API said.
 */
export async function submitBatches(
  http: Pool,
  key: string,
  bodies: readonly string[],
  inFlight: number,
): Promise<void> {
  let next = 0;
  const submitter = async (): Promise<void> => {
    for (let index = next++; index < bodies.length; index = next++) {
      const { statusCode, body } = await http.request({
        method: 'POST',
        path: '/tasks/batch',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: bodies[index] ?? '',
      });
      if (statusCode !== 201) throw new Error(`POST /tasks/batch answered ${statusCode}: ${await body.text()}`);
      await body.dump({ limit: Number.MAX_SAFE_INTEGER });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
}
