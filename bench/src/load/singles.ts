import type { Pool } from 'undici';

/**
 * Submits `count` no-op tasks by `POST /tasks`, one a request, with at most `inFlight` requests at once.
 * Rejects at the first answer that is not 201, with what the API said.
 */
export async function submitSingles(http: Pool, key: string, count: number, inFlight: number): Promise<void> {
  const body = JSON.stringify({ type: 'noop', payload: {} });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  let sent = 0;
  const submitter = async (): Promise<void> => {
    while (sent++ < count) {
      const answer = await http.request({ method: 'POST', path: '/tasks', headers, body });
      if (answer.statusCode !== 201) {
        throw new Error(`POST /tasks answered ${answer.statusCode}: ${await answer.body.text()}`);
      }
      await answer.body.dump();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
}
