import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Ports } from '../ports.ts';
import type { Principal } from './principal.ts';
import type { ProblemKind } from './problem.ts';
import type { RawBody } from './rawBody.ts';

/** What a handler is given: everything in it has passed the endpoint's schemas. */
export interface EndpointRequest<Params, Query, Headers, Body> {
  readonly id: string;
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** The body as it comes in, of an endpoint with `rawBody`. */
  raw(): RawBody;
  /** A signal that is aborted when the client goes away: what only waits for it may stop. */
  clientGone(): AbortSignal;
}

/** What a handler gives back: a JSON value, or text or bytes with a content type of their own. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: { readonly contentType: string; readonly content: string };
  readonly stream?: { readonly contentType: string; readonly length: number; readonly readable: Readable };
}

export interface AnswerDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
  /** Or bytes of any other media type. */
  readonly orBytes?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One endpoint: its address, the schemas of all that goes in and out, and the handler. The router validates by these
 * schemas and the OpenAPI document is made from them, so they cannot drift apart.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Headers extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/tasks/{id}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: 'Tasks' | 'Task types' | 'Operations' | 'Documentation';
  readonly summary: string;
  readonly description?: string;
  /** Answers without an API key. */
  readonly open?: boolean;
  readonly params?: Params;
  /** Without it any query parameter is refused. */
  readonly query?: Query;
  /** Header names in lower case. Other headers are nobody's business. */
  readonly headers?: Headers;
  readonly body?: {
    readonly schema: Body;
    readonly maxBytes: (limits: Ports['limits']) => number;
    /** A request without a body is one with an empty object. */
    readonly optional?: true;
  };
  /** The body is bytes of any media type, read by the handler while they come in. */
  readonly rawBody?: { readonly maxBytes: (limits: Ports['limits']) => number };
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Beside those that every endpoint of its kind can answer (see `openapi.ts`). */
  readonly problems?: readonly ProblemKind[];
  /** A method, so that an endpoint with narrow types can stand in a list of endpoints. */
  handle(
    request: EndpointRequest<z.output<Params>, z.output<Query>, z.output<Headers>, z.output<Body>>,
    ports: Ports,
  ): Answer | Promise<Answer>;
}

/** Gives an endpoint's handler the types of its schemas. */
export function defineEndpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Headers extends z.ZodType,
  Body extends z.ZodType,
>(endpoint: Endpoint<Params, Query, Headers, Body>): Endpoint {
  return endpoint as unknown as Endpoint;
}
