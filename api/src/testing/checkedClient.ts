import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenApiDocument } from '../http/openapi.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all shapes
  readonly json: any;
}

export interface CallOptions {
  readonly method?: string;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  /** Sent as JSON, unless it is text or bytes. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export type Call = (path: string, options?: CallOptions) => Promise<Answer>;

/**
 * A client that holds every answer to the OpenAPI document: the status must be declared for the operation, and the body
 * must be what is declared for it.
 */
export function checkedClient(baseUrl: string, defaultKey: string, document: OpenApiDocument): Call {
  const check = answerCheck(document);
  return async (path, { method, key = defaultKey, headers = {}, body, signal } = {}) => {
    const verb = method ?? (body === undefined ? 'GET' : 'POST');
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${baseUrl}${path}`, {
      method: verb,
      headers: {
        ...(key === null ? undefined : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...(body === undefined ? undefined : { body: raw ? (body as string) : JSON.stringify(body) }),
      ...(signal === undefined ? undefined : { signal }),
    });
    const text = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    const json: unknown = contentType.includes('json') && text !== '' ? JSON.parse(text) : undefined;
    check(verb, path, response.status, contentType, json);
    return { status: response.status, headers: response.headers, text, json };
  };
}

function answerCheck(document: OpenApiDocument) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'openapi', components: document.components });
  const compiled = new Map<unknown, ValidateFunction>();
  const patterns = Object.keys(document.paths)
    .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`) }))
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length);

  return (method: string, path: string, status: number, contentType: string, body: unknown): void => {
    const pathname = path.split('?')[0] as string;
    const route = patterns.find(({ pattern }) => pattern.test(pathname));
    const operation = route && document.paths[route.path]?.[method.toLowerCase()];
    if (operation === undefined) return;
    const where = `${method} ${route?.path} ${status}`;
    const response = operation.responses[String(status)] as
      | { content?: Record<string, { schema: object }> }
      | undefined;
    if (response === undefined) throw new Error(`${where} is not declared: ${JSON.stringify(body)}`);
    const mediaType = contentType.split(';')[0] as string;
    const declared = response.content?.[mediaType] ?? response.content?.['*/*'];
    if (declared === undefined) throw new Error(`${where}: ${mediaType} is not declared`);
    if (!mediaType.includes('json')) return;
    let validate = compiled.get(declared);
    if (validate === undefined) {
      const absolute = JSON.stringify(declared.schema).replaceAll('"#/components', '"openapi#/components');
      validate = ajv.compile(JSON.parse(absolute) as object);
      compiled.set(declared, validate);
    }
    if (!validate(body)) {
      throw new Error(`${where} is not as declared: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`);
    }
  };
}
