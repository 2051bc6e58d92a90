import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

export interface StatusServer {
  /** The port it listens on, also where 0 was asked for. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface StatusServerOptions {
  readonly port: number;
  readonly host: string;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

/** Serves `/healthz` (the process answers), `/readyz` (503 where a check fails) and `/metrics` of a service that has no HTTP server of its own. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = createServer((request, response) => {
    respond(options, request.method ?? '', new URL(request.url ?? '/', 'http://status').pathname).then(
      ({ status, contentType, body }) => {
        response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : body);
      },
      (error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
        response.end(`${error instanceof Error ? error.message : String(error)}\n`);
      },
    );
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

async function respond({ readiness, metrics }: StatusServerOptions, method: string, path: string): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: `${method} is not supported, use GET` });
  switch (path) {
    case '/healthz':
      return json(200, { status: 'ok' });
    case '/readyz': {
      const report = await readiness.report();
      return json(report.status === 'not-ready' ? 503 : 200, report);
    }
    case '/metrics':
      return { status: 200, ...(await metrics.render()) };
    default:
      return json(404, { error: `${path} is not served here, /healthz, /readyz and /metrics are` });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}

function listen(server: Server, { port, host }: StatusServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Status port ${host}:${port} is taken: end what listens there or set TASKFLOW_STATUS_PORT`)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
