import express, { type Express } from 'express';
import { docsPage } from './http/docsPage.ts';
import type { Endpoint } from './http/endpoint.ts';
import { openApiDocument } from './http/openapi.ts';
import { mountEndpoints } from './http/router.ts';
import type { Ports } from './ports.ts';

export interface About {
  readonly version: string;
  /** Where callers reach the api, without a slash at the end. */
  readonly publicUrl: string;
}

/**
 * The api as an express application. Express brings the routing and nothing else: no middleware stands before the
 * endpoints, as each costs every request.
 */
export function createApp(endpoints: readonly Endpoint[], about: About, ports: Omit<Ports, 'documentation'>): Express {
  const document = openApiDocument(endpoints, { version: about.version, serverUrl: about.publicUrl });
  const documentation = {
    openapi: JSON.stringify(document),
    page: docsPage(document, `${about.publicUrl}/docs`),
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', false);
  app.set('query parser', false);
  app.enable('strict routing');
  app.enable('case sensitive routing');
  mountEndpoints(app, endpoints, { ...ports, documentation });
  return app;
}
