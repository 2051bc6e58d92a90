import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { docsContentSecurityPolicy, docsPage } from './docsPage.ts';
import type { Endpoint } from './endpoint.ts';
import { type OpenApiDocument, openApiDocument, problemKindsOf } from './openapi.ts';
import { problemKinds } from './problem.ts';
import { loadEndpoints } from './routeFiles.ts';

describe('OpenAPI document', () => {
  let endpoints: Endpoint[];
  let document: OpenApiDocument;
  before(async () => {
    endpoints = await loadEndpoints();
    document = openApiDocument(endpoints, { version: '1.2.3', serverUrl: 'http://127.0.0.1:8080' });
  });

  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
    expect(result.errors ?? []).to.deep.equal([]);
    expect(result.valid).to.equal(true);
  });

  it('has every reference that it makes', () => {
    const references = new Set(JSON.stringify(document).match(/"#\/[^"]+"/g));
    expect(references).to.include('"#/components/schemas/Task"');
    for (const reference of references) {
      const found = (JSON.parse(reference) as string)
        .slice(2)
        .split('/')
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
      expect(found, reference).to.be.an('object');
    }
  });

  it('names each operation once, and says of each who may call it', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(operations).to.have.length(endpoints.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).to.equal(operations.length);
    const open = endpoints.filter((endpoint) => endpoint.open).map(({ path }) => path);
    expect(open.sort()).to.deep.equal(['/docs', '/healthz', '/metrics', '/openapi.json', '/readyz']);
    for (const endpoint of endpoints) {
      const operation = document.paths[endpoint.path]?.[endpoint.method];
      expect(operation?.security).to.deep.equal(endpoint.open ? [] : [{ apiKey: [] }]);
    }
  });

  it('declares every problem of an endpoint under its status', () => {
    for (const endpoint of endpoints) {
      const { responses = {} } = document.paths[endpoint.path]?.[endpoint.method] ?? {};
      for (const kind of problemKindsOf(endpoint)) {
        const response = responses[String(problemKinds[kind].status)];
        expect(response, `${endpoint.path} ${kind}`).to.be.an('object');
      }
    }
  });

  it('refuses unknown members of what it takes, and shows no others in what it gives', () => {
    const schemas = document.components.schemas as Record<string, { additionalProperties?: unknown }>;
    for (const name of ['TaskSubmission', 'BatchSubmission', 'Task', 'TaskEvent', 'TaskType']) {
      expect(schemas[name]?.additionalProperties, name).to.equal(false);
    }
  });

  describe('as a page', () => {
    it('needs nothing from elsewhere, and no script', () => {
      const page = docsPage(document, 'http://127.0.0.1:8080/docs');
      expect(page).not.to.match(/<script|<img|<iframe|@import|url\(|\son\w+=|style=/i);
      expect(page.match(/<link [^>]*>/g)).to.deep.equal(['<link rel="canonical" href="http://127.0.0.1:8080/docs">']);
      expect(docsContentSecurityPolicy).to.match(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}=';/);
    });

    it('has a head that machines can read, and a heading for each operation', () => {
      const page = docsPage(document, 'http://127.0.0.1:8080/docs');
      expect(page).to.match(/<meta charset="utf-8">[\s\S]*<title>TaskFlow Hub API – reference<\/title>/);
      for (const name of ['description', 'og:title', 'og:description', 'og:url', 'og:type']) {
        expect(page).to.match(new RegExp(`<meta (name|property)="${name}" content="[^"]+">`));
      }
      expect(page.match(/<h1/g)).to.have.length(1);
      for (const { id } of endpoints) expect(page).to.include(`<h3 id="${id}">`);
    });

    it('writes text as text', () => {
      const evil = { ...document, info: { ...document.info, description: '<script>alert("x")</script> & `<b>`' } };
      expect(docsPage(evil, 'http://127.0.0.1/docs')).to.include(
        '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; <code>&lt;b&gt;</code>',
      );
    });
  });
});
