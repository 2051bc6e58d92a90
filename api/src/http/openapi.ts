import { z } from 'zod';
import { problemShape } from '../shapes/problem.ts';
import type { Endpoint } from './endpoint.ts';
import { type ProblemKind, problemKinds } from './problem.ts';

type Json = Record<string, unknown>;

/** An OpenAPI 3.1 document, as far as it is looked into here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Json & { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Json & { readonly schemas: Json };
  readonly [member: string]: unknown;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Json[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

const JSON_TYPE = 'application/json';
const ANY_TYPE = '*/*';

/** Makes the OpenAPI document of the endpoints from the very schemas by which the router validates. */
export function openApiDocument(
  endpoints: readonly Endpoint[],
  about: { version: string; serverUrl: string },
): OpenApiDocument {
  const schemas: Json = {};
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    const path = paths[endpoint.path] ?? {};
    path[endpoint.method] = operationOf(endpoint, schemas);
    paths[endpoint.path] = path;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'TaskFlow Hub',
      version: about.version,
      description:
        'Runs tasks for many users and keeps every transition of every task as an event on Kafka. ' +
        'A task is accepted (201) only after its event is acknowledged by all in-sync replicas, and each accepted ' +
        'task ends once: `success`, `failed` or `cancelled`.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: about.serverUrl }],
    tags: [
      { name: 'Tasks', description: 'Submit tasks, and see what becomes of them' },
      { name: 'Task types', description: 'What kinds of tasks there are, and what they take' },
      { name: 'Operations', description: 'For those who run the system' },
      { name: 'Documentation', description: 'This document' },
    ],
    paths,
    components: {
      schemas,
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key' } },
    },
  };
}

function operationOf(endpoint: Endpoint, schemas: Json): Operation {
  const parameters = [
    ...parametersOf(endpoint.params, 'path', schemas),
    ...parametersOf(endpoint.query, 'query', schemas),
    ...parametersOf(endpoint.headers, 'header', schemas),
  ];
  return {
    operationId: endpoint.id,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description === undefined ? undefined : { description: endpoint.description }),
    security: endpoint.open === true ? [] : [{ apiKey: [] }],
    ...(parameters.length === 0 ? undefined : { parameters }),
    ...(endpoint.rawBody && { requestBody: { required: true, content: { [ANY_TYPE]: { schema: {} } } } }),
    ...(endpoint.body === undefined
      ? undefined
      : {
          requestBody: {
            required: endpoint.body.optional !== true,
            content: { [JSON_TYPE]: { schema: jsonSchemaOf(endpoint.body.schema, 'input', schemas) } },
          },
        }),
    responses: { ...answersOf(endpoint, schemas), ...problemsOf(endpoint, schemas) },
  };
}

function answersOf(endpoint: Endpoint, schemas: Json): Record<string, Json> {
  const answers: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(endpoint.answers)) {
    const headers: Json = { 'X-Request-Id': { schema: { type: 'string' } } };
    for (const [name, description] of Object.entries(answer.headers ?? {})) {
      headers[name] = { description, schema: { type: 'string' } };
    }
    const schema = answer.schema === undefined ? {} : jsonSchemaOf(answer.schema, 'output', schemas);
    answers[status] = {
      description: answer.description,
      headers,
      content: { [answer.contentType ?? JSON_TYPE]: { schema }, ...(answer.orBytes && { [ANY_TYPE]: { schema: {} } }) },
    };
  }
  return answers;
}

/** The problems that an endpoint can answer: its own, and those that follow from what it takes. */
export function problemKindsOf(endpoint: Endpoint): ProblemKind[] {
  const kinds = new Set<ProblemKind>();
  if (endpoint.open !== true) kinds.add('invalid-request').add('unauthorized');
  if (endpoint.body !== undefined) {
    kinds.add('malformed-json').add('json-too-deep').add('body-too-large').add('unsupported-media-type');
  }
  if (endpoint.rawBody !== undefined) kinds.add('body-too-large').add('unsupported-media-type');
  for (const kind of endpoint.problems ?? []) kinds.add(kind);
  kinds.add('internal');
  return [...kinds];
}

function problemsOf(endpoint: Endpoint, schemas: Json): Record<string, Json> {
  const schema = jsonSchemaOf(problemShape, 'output', schemas);
  const byStatus = new Map<number, ProblemKind[]>();
  for (const kind of problemKindsOf(endpoint)) {
    const { status } = problemKinds[kind];
    byStatus.set(status, [...(byStatus.get(status) ?? []), kind]);
  }
  const problems: Record<string, Json> = {};
  for (const [status, kinds] of [...byStatus].sort(([a], [b]) => a - b)) {
    const already = endpoint.answers[status];
    if (already !== undefined) continue;
    problems[String(status)] = {
      description: kinds.map((kind) => `\`${kind}\`: ${problemKinds[kind].title}`).join('. '),
      ...(status === 503 ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : undefined),
      content: { 'application/problem+json': { schema } },
    };
  }
  return problems;
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query' | 'header', schemas: Json): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...valueSchema }]) => ({
    name: place === 'header' ? headerName(name) : name,
    in: place,
    ...(required.includes(name) ? { required: true } : undefined),
    ...(description === undefined ? undefined : { description }),
    schema: valueSchema,
  }));
}

function headerName(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** A zod schema as JSON Schema; the named ones within it become components. */
function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema, $defs, ...own } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      // A format says it to readers and tools; zod's pattern of it beside that is half a page.
      if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid') delete jsonSchema.pattern;
    },
  }) as Json & { $defs?: Record<string, Json> };
  const text = JSON.stringify({ own, $defs }).replaceAll('"#/$defs/', '"#/components/schemas/');
  const moved = JSON.parse(text) as { own: Json; $defs?: Record<string, Json> };
  Object.assign(schemas, moved.$defs);
  return moved.own;
}
