import { createHash } from 'node:crypto';
import type { OpenApiDocument, Operation } from './openapi.ts';

/** The page's only style: it is allowed by its hash in the page's content security policy, and nothing else is. */
const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2rem; font-size: 1.05rem; } h4 { margin-bottom: .25rem; }
code, pre { font: .875em/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line); }
.method { background: var(--soft); padding: .1rem .5rem; border-radius: .3rem; margin-right: .25rem; }
summary { cursor: pointer; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export const docsContentSecurityPolicy = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/**
 * The OpenAPI document as a page to read: one HTML file without scripts, images or anything from elsewhere. Its head
 * says what it is in the ways that machines look for (description, canonical address, OpenGraph).
 */
export function docsPage(document: OpenApiDocument, address: string): string {
  const title = `${document.info.title} API – reference`;
  const summary =
    'Submit tasks, follow them from queue to result, and read their history: the REST API, address by address.';
  const sections = document.tags.map(({ name, description }) => section(document, name, description)).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<meta name="description" content="${text(summary)}">
<link rel="canonical" href="${text(address)}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="${text(document.info.title)}">
<meta property="og:title" content="${text(title)}">
<meta property="og:description" content="${text(summary)}">
<meta property="og:url" content="${text(address)}">
<style>${STYLE}</style>
</head>
<body>
<h1>${text(title)}</h1>
<p>Version ${text(document.info.version)} · <a href="openapi.json">OpenAPI 3.1 document</a></p>
<p>${prose(document.info.description)}</p>
<h2 id="start">A first task → its result</h2>
<pre>curl -s -H 'Authorization: Bearer YOUR_KEY' -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\
  -d '{"type":"web_scrape","payload":{"url":"https://example.com/"}}' ${text(address.replace(/\/docs$/, '/tasks'))}</pre>
<p>${prose('The answer is the task with its `id`; its result is then at `/tasks/{id}/result`. Errors are problem documents (RFC 9457); times are UTC as RFC 3339 writes them, for example 2026-01-31T08:15:00.000Z – names are camelCase.')}</p>
${sections}
<h2 id="shapes">Shapes</h2>
${Object.entries(document.components.schemas)
  .map(([name, schema]) => `<h3 id="shape-${text(name)}">${text(name)}</h3>\n${json(schema)}`)
  .join('\n')}
</body>
</html>
`;
}

function section(document: OpenApiDocument, tag: string, description: string): string {
  const operations: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags.includes(tag)) operations.push(operationHtml(path, method, operation));
    }
  }
  return `<h2 id="${text(tag.toLowerCase().replaceAll(' ', '-'))}">${text(tag)}</h2>\n<p>${prose(description)}.</p>\n${operations.join('\n')}`;
}

function operationHtml(path: string, method: string, operation: Operation): string {
  const parts = [
    `<h3 id="${text(operation.operationId)}"><code class="method">${method.toUpperCase()}</code> <code>${text(path)}</code> – ${text(operation.summary)}</h3>`,
  ];
  if (operation.description !== undefined) parts.push(`<p>${prose(operation.description)}</p>`);
  if (operation.security.length === 0) parts.push('<p>Needs no API key.</p>');
  if (operation.parameters !== undefined) parts.push(parametersHtml(operation.parameters));
  if (operation.requestBody !== undefined) {
    parts.push(`<details><summary>Body</summary>${json(schemaIn(operation.requestBody))}</details>`);
  }
  const rows = Object.entries(operation.responses).map(
    ([status, response]) => `<tr><td><code>${status}</code></td><td>${prose(String(response.description))}</td></tr>`,
  );
  parts.push(`<h4>Answers</h4><table>${rows.join('')}</table>`);
  return parts.join('\n');
}

function parametersHtml(parameters: readonly Record<string, unknown>[]): string {
  const rows = parameters.map(({ name, in: place, description, required, schema }) => {
    const note = `${place}${required === true ? ', required' : ''}`;
    const about = description === undefined ? '' : `${prose(String(description))} `;
    return `<tr><td><code>${text(String(name))}</code></td><td>${note}</td><td>${about}<code>${text(JSON.stringify(schema))}</code></td></tr>`;
  });
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`;
}

function schemaIn(body: Record<string, unknown>): unknown {
  const content = body.content as Record<string, { schema: unknown }>;
  return Object.values(content)[0]?.schema;
}

function json(value: unknown): string {
  return `<pre>${text(JSON.stringify(value, null, 2))}</pre>`;
}

/** Plain text with `code` in it. */
function prose(source: string): string {
  return text(source).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function text(source: string): string {
  return source
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
