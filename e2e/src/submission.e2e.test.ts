import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Problem, ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

interface Page {
  readonly items: readonly ShownTask[];
  readonly nextCursor: string | null;
}

describe('submission and lists', () => {
  const { client } = theSystem();

  it('submits a batch as a whole, in order', async () => {
    const tasks = Array.from({ length: 500 }, (_, n) => ({ type: 'noop', payload: { echo: n } }));
    const { status, body } = await client.post<{ items: ShownTask[] }>('/tasks/batch', { tasks });
    expect(status).to.equal(201);
    expect(body.items).to.have.length(500);
    expect(new Set(body.items.map(({ id }) => id)).size).to.equal(500);
    const last = body.items[499];
    await client.ended(last?.id ?? '');
    expect((await client.get(`/tasks/${last?.id}/result`)).body).to.equal(499);
  });

  it('submits nothing of a batch with one bad task, and names it', async () => {
    const tag = `batch-${randomUUID()}`;
    const { status, body } = await client.post<Problem>('/tasks/batch', {
      tasks: [
        { type: 'noop', payload: {}, tags: [tag] },
        { type: 'web_scrape', payload: { url: 'ftp://example.org/' }, tags: [tag] },
      ],
    });
    expect(status).to.equal(400);
    expect(body.errors?.[0]?.path).to.equal('tasks[1].payload.url');
    const list = await client.get<Page>(`/tasks?tag=${tag}`);
    expect(list.body.items).to.deep.equal([]);
  });

  it('gives one task for one idempotency key, however many ask at once', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { type: 'noop', payload: { echo: 1 } };
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.post<ShownTask>('/tasks', body, headers)));
    expect(new Set(answers.map((answer) => answer.body.id)).size).to.equal(1);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 200, 200, 200, 200, 200, 201]);
    const other = await client.post<Problem>('/tasks', { type: 'noop', payload: { echo: 2 } }, headers);
    expect(other.status).to.equal(409);
    expect(other.body.type).to.match(/^urn:taskflow:problem:/);
  });

  it('pages through a list with a cursor, each task once', async () => {
    const tag = `page-${randomUUID()}`;
    const tasks = Array.from({ length: 25 }, () => ({ type: 'noop', payload: {}, tags: [tag] }));
    const { body } = await client.post<{ items: ShownTask[] }>('/tasks/batch', { tasks });
    for (const { id } of body.items) await client.ended(id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = (await client.get<Page>(`/tasks?tag=${tag}&limit=10${cursor && `&cursor=${cursor}`}`)).body;
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).to.have.length(25);
    expect(new Set(seen)).to.deep.equal(new Set(body.items.map(({ id }) => id)));
    const filtered = await client.get<Page>(`/tasks?tag=${tag}&status=failed`);
    expect(filtered.body.items).to.deep.equal([]);
  });

  it('counts as the list shows', async () => {
    const counted = async (): Promise<number> => {
      const { body } = await client.get<{ items: { type: string; status: string; count: number }[] }>(
        '/tasks/counts?type=noop',
      );
      return body.items.filter(({ status }) => status === 'failed').reduce((sum, { count }) => sum + count, 0);
    };
    const before = await counted();
    const { body } = await client.post<ShownTask>('/tasks', { type: 'noop', payload: { fail: 'BROKEN' } });
    const task = await client.ended(body.id);
    expect(task.error?.code).to.equal('BROKEN');
    expect(await counted()).to.equal(before + 1);
  });

  it('shows a task at once after it was accepted', async () => {
    const { body } = await client.post<ShownTask>('/tasks', { type: 'noop', payload: {} });
    const { status, body: shown } = await client.get<ShownTask>(`/tasks/${body.id}`);
    expect(status).to.equal(200);
    expect(shown.id).to.equal(body.id);
  });

  it('answers 404 for a task that never was', async () => {
    const { status } = await client.get(`/tasks/${randomUUID()}`);
    expect(status).to.equal(404);
  });

  it('lists the types with their schemas', async () => {
    const { body } = await client.get<{ items: { name: string; payloadSchema: object; paused: boolean }[] }>('/types');
    expect(body.items.map(({ name }) => name)).to.include.members(['http_request', 'noop', 'web_scrape']);
    expect(body.items.find(({ name }) => name === 'web_scrape')?.payloadSchema).to.have.property('properties');
  });

  it('wants a key', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const answer = await client.send('/tasks', { method: 'GET', headers: { authorization: '', ...headers } });
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('content-type')).to.include('application/problem+json');
    }
  });

  const refused: readonly [string, object | string, number, string | undefined][] = [
    ['an unknown type', { type: 'nope', payload: {} }, 400, 'type'],
    ['a payload that breaks its schema', { type: 'web_scrape', payload: { url: 7 } }, 400, 'payload.url'],
    ['an unknown field', { type: 'noop', payload: {}, colour: 'red' }, 400, 'colour'],
    ['a field that only the system sets', { type: 'noop', payload: {}, status: 'success' }, 400, 'status'],
    ['a URL that is not http(s)', { type: 'web_scrape', payload: { url: 'file:///etc/passwd' } }, 400, 'payload.url'],
    ['malformed JSON', '{"type":', 400, undefined],
    ['a body over the limit', { type: 'noop', payload: { echo: 'x'.repeat(300_000) } }, 413, undefined],
  ];
  for (const [what, body, status, path] of refused) {
    it(`refuses ${what}`, async () => {
      const answer = await client.send<Problem>('/tasks', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
      expect(answer.headers.get('content-type')).to.include('application/problem+json');
      if (path !== undefined) expect(answer.body.errors?.map((error) => error.path)).to.include(path);
    });
  }

  it('refuses another content type, a bad cursor and a bad id', async () => {
    const form = await client.send('/tasks', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' });
    expect(form.status).to.equal(415);
    expect((await client.get('/tasks?cursor=%00')).status).to.equal(400);
    expect((await client.get('/tasks/not-a-uuid')).status).to.equal(400);
  });

  it('describes itself', async () => {
    const openapi = await client.get<{ openapi: string; paths: Record<string, unknown> }>('/openapi.json');
    expect(openapi.body.openapi).to.match(/^3\.1\./);
    expect(Object.keys(openapi.body.paths)).to.include('/tasks/batch');
    const docs = await client.get<string>('/docs');
    expect(docs.body).to.include('<title>');
    const metrics = await client.get<string>('/metrics');
    expect(metrics.body).to.match(/^taskflow_/m);
  });
});
