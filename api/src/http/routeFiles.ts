import { readdir } from 'node:fs/promises';
import type { Endpoint } from './endpoint.ts';

/**
 * Every endpoint: the default exports of the files in `routes/`, by name. A new endpoint is a new file there and
 * nothing else. Given in the order in which the documents made of them show them: by path, what is not available yet last.
 */
export async function loadEndpoints(): Promise<Endpoint[]> {
  const folder = new URL('../routes/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => /^\w+\.(ts|js)$/.test(name)).sort();
  const endpoints: Endpoint[] = [];
  for (const file of files) {
    const module = (await import(new URL(file, folder).href)) as { default?: Endpoint };
    if (module.default === undefined) throw new Error(`routes/${file} has no default export: export an endpoint`);
    endpoints.push(module.default);
  }
  return endpoints.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function key({ path, method, answers }: Endpoint): string {
  const later = Object.keys(answers).length === 0;
  return `${later ? 1 : 0} ${path} ${method === 'post' ? 0 : 1}`;
}
