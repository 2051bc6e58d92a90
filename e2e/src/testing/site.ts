import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small web site and API on loopback for tasks to fetch. */
export interface Site {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** The requests that came, in order. */
  readonly requests: readonly { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  close(): Promise<void>;
}

const ARTICLE = `<!doctype html>
<html lang="en"><head>
<meta charset="utf-8">
<title>A page about queues</title>
<meta name="description" content="What a share group does.">
<link rel="canonical" href="/article">
<meta property="og:title" content="Queues">
<meta property="og:type" content="article">
</head><body><h1>Queues</h1><h2>Locks</h2><p><a href="/other">other</a> <a href="https://example.org/">away</a></p></body></html>`;

/** "Привет" in windows-1251, which only the page itself declares. */
const WINDOWS_1251 = Buffer.concat([
  Buffer.from('<meta charset="windows-1251"><title>'),
  Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
  Buffer.from('</title>'),
]);

/** Starts the site on a free port. */
export async function startSite(): Promise<Site> {
  const requests: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '/';
    const body = Buffer.concat(chunks).toString('utf8');
    requests.push({ method: request.method ?? '', path, headers: request.headers, body });
    answer(path, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(path: string, body: string, response: ServerResponse): void {
  const send = (status: number, headers: Record<string, string>, text?: string | Buffer): void => {
    response.writeHead(status, headers).end(text);
  };
  const html = { 'content-type': 'text/html; charset=utf-8' };
  switch (path) {
    case '/article':
      send(200, html, ARTICLE);
      break;
    case '/moved':
      send(302, { location: '/article' });
      break;
    case '/windows-1251':
      send(200, { 'content-type': 'text/html' }, WINDOWS_1251);
      break;
    case '/untitled':
      send(200, html, '<p>No title here.</p>');
      break;
    case '/echo':
      send(201, { 'content-type': 'application/json' }, JSON.stringify({ received: body }));
      break;
    case '/to-loopback':
      send(302, { location: 'http://127.0.0.2:1/' });
      break;
    case '/hangs':
      break; // never answers
    default:
      send(404, { 'content-type': 'text/plain' }, 'no such page');
  }
}
