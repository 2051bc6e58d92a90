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
      const answer = await post(http, headers, body);
      if (answer.status !== 201) throw new Error(`POST /tasks answered ${answer.status}: ${answer.text()}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
}

interface ReadAnswer {
  readonly status: number;
  text(): string;
}

/** Gives the answer once all of it has been read. By `dispatch`: a stream for each answer would cost the generator a fifth more. */
function post(http: Pool, headers: Record<string, string>, body: string): Promise<ReadAnswer> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const chunks: Buffer[] = [];
    http.dispatch(
      { method: 'POST', path: '/tasks', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          resolve({ status, text: () => Buffer.concat(chunks).toString() });
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}
