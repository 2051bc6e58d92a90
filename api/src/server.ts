import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiServer {
  readonly port: number;
  /** Closes each connection with its next answer, takes no new ones, and lets what runs end. */
  stop(): Promise<void>;
}

export interface Listening {
  readonly port: number;
  readonly host: string;
  /** How long requests that are under way may still take once the server stops. */
  readonly drainMs: number;
}

/**
 * How long busy connections have to get one more answer, which says that it is the last: a connection that is closed between
 * two requests may be closed under the second one.
 */
const LAST_ANSWER_MS = 150;
const LOOK_FOR_IDLE_MS = 50;

/** Serves the application on a port of one address. */
export async function startServer(app: RequestListener, at: Listening): Promise<ApiServer> {
  let stopping = false;
  const server = createServer(
    {
      // Longer than the usual 60 s of proxies in front: they end idle connections, not we under a request of theirs.
      keepAliveTimeout: 65_000,
      // For the whole of a request to come in, as long as a large upload may take. Whoever reads a body sets a closer limit.
      requestTimeout: 3_600_000,
      headersTimeout: 20_000,
    },
    (request, response) => {
      // So that the client does not send its next request into a connection that is about to close.
      if (stopping) response.shouldKeepAlive = false;
      app(request, response);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${at.host}:${at.port} is taken: end what listens there, or set TASKFLOW_API_PORT`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(at.port, at.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      stopping = true;
      await sleep(LAST_ANSWER_MS);
      await new Promise<void>((resolve) => {
        const idle = setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE_MS);
        const drain = setTimeout(() => server.closeAllConnections(), at.drainMs);
        server.close(() => {
          clearInterval(idle);
          clearTimeout(drain);
          resolve();
        });
      });
    },
  };
}
