import type { Express, Request, Response } from 'express';
import type { z } from 'zod';
import type { Ports } from '../ports.ts';
import { hasBody, readJsonBody } from './body.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { fieldErrorsOf } from './fieldErrors.ts';
import { endpointObserver, type Observe } from './observe.ts';
import type { Principal } from './principal.ts';
import { Problem } from './problem.ts';
import { drain, rawBody } from './rawBody.ts';
import { requestIdOf } from './requestId.ts';
import { sendAnswer, sendProblem, sendStream } from './send.ts';

const nobody: Principal = { userId: '', role: 'user' };

/**
 * Puts the endpoints on an express application, one layer for each address. The express router tries its layers in
 * turn, so fixed addresses come before those with parameters (which would match them too), and the busiest one first.
 */
export function mountEndpoints(app: Express, endpoints: readonly Endpoint[], ports: Ports): void {
  const byPath = new Map<string, Endpoint[]>();
  for (const endpoint of [...endpoints].sort((a, b) => routeOrder(a) - routeOrder(b))) {
    byPath.set(endpoint.path, [...(byPath.get(endpoint.path) ?? []), endpoint]);
  }
  for (const [path, ofPath] of byPath) {
    const route = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const endpoint of ofPath) route[endpoint.method](expressHandler(endpoint, ports));
    const allowed = ofPath.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : ['POST'])).join(', ');
    const observe = endpointObserver(ports, '*', path);
    route.all((request: Request, response: Response) => {
      const detail = `${request.method} is not possible on ${path}; ${allowed} is.`;
      refuse(request, response, new Problem('method-not-allowed', detail, { headers: { Allow: allowed } }), observe);
    });
  }
  const observe = endpointObserver(ports, '*', 'none');
  app.use((request: Request, response: Response) => {
    refuse(request, response, new Problem('not-found', 'The api has no such address; /docs lists all.'), observe);
  });
  // Express hands over what its router throws, such as a path that cannot be decoded.
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    const status = (error as { status?: number }).status;
    const problem =
      status === 400
        ? new Problem('invalid-request', 'The address cannot be decoded.', { cause: error })
        : new Problem('internal', 'The server failed on this request.', { cause: error });
    refuse(request, response, problem, observe);
  });
}

function routeOrder(endpoint: Endpoint): number {
  if (endpoint.path === '/tasks') return -1;
  return endpoint.path.split('{').length - 1;
}

function refuse(request: Request, response: Response, problem: Problem, observe: Observe): void {
  const requestId = requestIdOf(request);
  const started = performance.now();
  sendProblem(response, problem, requestId);
  observe(problem.status, started, { requestId, method: request.method, problem });
}

function expressHandler(endpoint: Endpoint, ports: Ports): (request: Request, response: Response) => void {
  const observe = endpointObserver(ports, endpoint.method.toUpperCase(), endpoint.path);
  return (request, response) => {
    const started = performance.now();
    const requestId = requestIdOf(request);
    const failed = async (error: unknown) => {
      const problem =
        error instanceof Problem
          ? error
          : new Problem('internal', 'The server failed on this request; its id is in the log.', { cause: error });
      if (endpoint.rawBody !== undefined && !request.complete) {
        await drain(request);
        response.shouldKeepAlive = false;
      }
      sendProblem(response, problem, requestId);
      observe(problem.status, started, { requestId, method: request.method, problem });
    };
    answer(endpoint, request, response, requestId, ports).then((result) => {
      if (result.stream === undefined) sendAnswer(response, result, requestId);
      else void sendStream(response, result, result.stream, { requestId, logger: ports.logger });
      observe(result.status, started, { requestId, method: request.method });
    }, failed);
  };
}

async function answer(
  endpoint: Endpoint,
  request: Request,
  response: Response,
  requestId: string,
  ports: Ports,
): Promise<Answer> {
  const principal = endpoint.open === true ? nobody : ports.authenticate(request.headers.authorization);
  const params = endpoint.params && checked(endpoint.params, request.params, 'The address is not valid.');
  const query = queryOf(endpoint, request.url);
  const headers = endpoint.headers && checked(endpoint.headers, request.headers, 'A header is not valid.');
  let body: unknown;
  if (endpoint.body !== undefined) {
    const isLeftOut = endpoint.body.optional === true && !hasBody(request);
    const limits = { maxBytes: endpoint.body.maxBytes(ports.limits), maxDepth: ports.limits.maxJsonDepth };
    const json = isLeftOut ? {} : await readJsonBody(request, limits);
    body = checked(endpoint.body.schema, json, 'The body is not valid.');
  }
  return endpoint.handle(
    {
      id: requestId,
      principal,
      params,
      query,
      headers,
      body,
      raw: () => rawBody(request, endpoint.rawBody?.maxBytes(ports.limits) ?? 0),
      clientGone: () => clientGone(response),
    },
    ports,
  );
}

function clientGone(response: Response): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.on('close', () => gone.abort());
  return gone.signal;
}

function checked(schema: z.ZodType, value: unknown, detail: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error, detail);
}

function invalid(error: z.ZodError, detail: string): Problem {
  return new Problem('invalid-request', detail, { errors: fieldErrorsOf(error) });
}

/** The query as a record; a parameter given twice is refused, as it is not clear which one would count. */
function queryOf(endpoint: Endpoint, url: string): unknown {
  const mark = url.indexOf('?');
  if (endpoint.query === undefined && (mark === -1 || endpoint.open === true)) return undefined;
  const record: Record<string, string> = Object.create(null);
  if (mark !== -1) {
    for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
      if (name in record) {
        const errors = [{ path: name, message: 'is given more than once' }];
        throw new Problem('invalid-request', 'The query is not valid.', { errors });
      }
      record[name] = value;
    }
  }
  if (endpoint.query !== undefined) return checked(endpoint.query, { ...record }, 'The query is not valid.');
  const unknown = Object.keys(record);
  if (unknown.length === 0) return undefined;
  const errors = unknown.map((path) => ({ path, message: 'is not a known parameter' }));
  throw new Problem('invalid-request', 'This address takes no query parameters.', { errors });
}
