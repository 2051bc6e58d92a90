import type { Hop } from '../safeFetch.ts';
import { addressNotAllowed } from './fetchError.ts';

/** What another origin may see. Any other header may be a credential, whatever its name. */
const SAFE_FOR_OTHERS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/**
 * The request that a redirect asks for; undefined where the response is none. Methods change as in browsers (Fetch
 * standard): 303 always, 301 and 302 after POST, become GET without a body.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(latin1ToUtf8(location), hop.url);
  } catch {
    throw addressNotAllowed('A redirect leads to something that is no URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw addressNotAllowed(`A redirect leads to a ${url.protocol.slice(0, 20)} URL; only http and https are fetched`);
  }
  url.username = '';
  url.password = '';
  url.hash = '';

  const toGet =
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD') ||
    ((status === 301 || status === 302) && hop.method === 'POST');
  const sameOrigin = url.origin === hop.url.origin;
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(
      ([name]) => (sameOrigin || SAFE_FOR_OTHERS.has(name)) && !(toGet && name.startsWith('content-')),
    ),
  );
  return { url, method: toGet ? 'GET' : hop.method, headers, body: toGet ? undefined : hop.body };
}

/** Header bytes arrive as Latin-1; servers that put raw UTF-8 into `Location` mean it. */
function latin1ToUtf8(text: string): string {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? text : utf8;
}
