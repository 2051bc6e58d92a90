import { Pool as HttpPool } from 'undici';

const TASKS_A_BATCH = 1_000;
const BATCHES_IN_FLIGHT = 4;

/** A task as `POST /tasks` takes it. */
export interface Submission {
  readonly type: string;
  readonly payload: object;
  readonly priority?: string;
  readonly timeoutMs?: number;
}

/** `count` submissions; what differs between them comes from their index. */
export function submissions(count: number, of: (index: number) => Submission): readonly Submission[] {
  return Array.from({ length: count }, (_, index) => of(index));
}

/** Bodies of `POST /tasks/batch`, made before the clock starts so that the generator costs nothing while it runs. */
export function batchBodies(tasks: readonly Submission[]): readonly string[] {
  const bodies: string[] = [];
  for (let first = 0; first < tasks.length; first += TASKS_A_BATCH) {
    bodies.push(JSON.stringify({ tasks: tasks.slice(first, first + TASKS_A_BATCH) }));
  }
  return bodies;
}

/**
 * Submits the bodies in order, a few requests at once. Rejects at the first answer that is not 201, with what the API
 * said.
 */
export async function submitBatches(
  system: { readonly apiUrl: string; readonly key: string },
  bodies: readonly string[],
): Promise<void> {
  const http = new HttpPool(system.apiUrl, { connections: BATCHES_IN_FLIGHT });
  let next = 0;
  const submitter = async (): Promise<void> => {
    for (let index = next++; index < bodies.length; index = next++) {
      const { statusCode, body } = await http.request({
        method: 'POST',
        path: '/tasks/batch',
        headers: {
          authorization: `Bearer ${system.key}`,
          'content-type': 'application/json',
          prefer: 'return=minimal',
        },
        body: bodies[index] ?? '',
      });
      if (statusCode !== 201) throw new Error(`POST /tasks/batch answered ${statusCode}: ${await body.text()}`);
      await body.dump({ limit: Number.MAX_SAFE_INTEGER });
    }
  };
  try {
    await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, submitter));
  } finally {
    await http.close();
  }
}
