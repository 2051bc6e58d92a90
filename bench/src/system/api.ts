import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';

/** Where requests go, and what they are let in by. */
export interface ApiAccess {
  readonly apiUrl: string;
  readonly key: string;
}

/** An answer of the api as JSON; rejects where its status is not the expected one. */
export async function callApi<T>(
  { apiUrl, key }: ApiAccess,
  method: 'GET' | 'POST',
  path: string,
  { body, expected = 200 }: { readonly body?: object; readonly expected?: number } = {},
): Promise<T> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await request(`${apiUrl}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== expected) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
  return JSON.parse(text) as T;
}

/** Resolves when the api knows the type. */
export async function untilPublished(api: ApiAccess, type: string): Promise<void> {
  for (;;) {
    const { items } = await callApi<{ items: { name: string }[] }>(api, 'GET', '/types');
    if (items.some(({ name }) => name === type)) return;
    await delay(20);
  }
}
