import { expect } from 'chai';
import type { ShownTask } from './testing/restClient.ts';
import { type Site, startSite } from './testing/site.ts';
import { theSystem } from './testing/theSystem.ts';

interface HistoryItem {
  readonly event: string;
  readonly generation: number;
  readonly attempt: number;
  readonly counted: boolean;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

describe('the main job, from POST to result', () => {
  const { client } = theSystem();
  let site: Site;
  before(async () => {
    site = await startSite();
  });
  after(() => site.close());

  const submitted = async (body: object): Promise<ShownTask> => {
    const answer = await client.post<ShownTask>('/tasks', body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    expect(answer.headers.get('location')).to.equal(`/tasks/${answer.body.id}`);
    expect(answer.body.status).to.equal('queued');
    return answer.body;
  };

  it('scrapes a page', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/moved` } });
    const task = await client.ended(id);
    expect(task.error).to.equal(null);
    expect(task).to.include({ status: 'success', attempt: 1, generation: 0, retryCount: 0 });
    expect(task.createdAt <= (task.startedAt ?? '')).to.equal(true);
    expect((task.startedAt ?? '') <= (task.finishedAt ?? '')).to.equal(true);
    expect(task.result).to.include({ storage: 'mongo' });

    const { status, body } = await client.get<Record<string, unknown>>(`/tasks/${id}/result`);
    expect(status).to.equal(200);
    expect(body).to.include({
      title: 'A page about queues',
      finalUrl: `${site.origin}/article`,
      status: 200,
      charset: 'utf-8',
      language: 'en',
      description: 'What a share group does.',
      canonical: `${site.origin}/article`,
      linkCount: 2,
    });
    expect(JSON.stringify(body.headings)).to.include('Locks');
    expect(JSON.stringify(body.openGraph)).to.include('Queues');
  });

  it('keeps the history of the task, with its coordinates on the log', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/article` } });
    await client.ended(id);
    const { body } = await client.get<{ items: HistoryItem[] }>(`/tasks/${id}/events`);
    expect(body.items.map(({ event }) => event)).to.deep.equal(['TaskQueued', 'TaskStarted', 'TaskSucceeded']);
    for (const item of body.items) {
      expect(item).to.include({ generation: 0, attempt: 1, counted: true });
      expect(item.topic).to.match(/^taskflow\.(queue|events)\.web_scrape\.normal$/);
      expect(item.offset).to.be.at.least(0);
    }
  });

  it('decodes a page that only itself declares its charset', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/windows-1251` } });
    await client.ended(id);
    const { body } = await client.get<Record<string, unknown>>(`/tasks/${id}/result`);
    expect(body).to.include({ title: 'Привет', charset: 'windows-1251' });
  });

  it('takes a page without a title', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/untitled` } });
    expect((await client.ended(id)).status).to.equal('success');
    expect((await client.get<{ title: unknown }>(`/tasks/${id}/result`)).body.title).to.equal(null);
  });

  it('calls an external API', async () => {
    const payload = {
      url: `${site.origin}/echo`,
      method: 'POST',
      headers: { 'x-from': 'taskflow' },
      json: { hello: 'world' },
      expectStatus: 201,
    };
    const { id } = await submitted({ type: 'http_request', payload });
    const task = await client.ended(id);
    expect(task.error).to.equal(null);
    const { body } = await client.get<Record<string, unknown>>(`/tasks/${id}/result`);
    expect(body.status).to.equal(201);
    expect(JSON.stringify(body)).to.include('hello');
    const request = site.requests.find(({ path }) => path === '/echo');
    expect(request?.headers['x-from']).to.equal('taskflow');
    expect(request?.body).to.equal('{"hello":"world"}');
  });

  it('fails for good, saying why, when the page is not there', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/missing` } });
    const task = await client.ended(id);
    expect(task).to.include({ status: 'failed', result: null });
    expect(task.error?.code).to.equal('HTTP_STATUS');
    expect(task.error?.message).to.include('404');
    expect((await client.get(`/tasks/${id}/result`)).status).to.equal(409);
  });

  for (const url of [
    'http://127.0.0.2:9/',
    'http://[::1]:9/',
    'http://[::ffff:7f00:2]:9/',
    'http://2130706434:9/',
    'http://169.254.169.254/',
  ]) {
    it(`does not connect to ${url}`, async () => {
      const { id } = await submitted({ type: 'web_scrape', payload: { url } });
      expect((await client.ended(id)).error?.code).to.equal('ADDRESS_NOT_ALLOWED');
    });
  }

  it('does not follow a redirect to an address that is not allowed', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/to-loopback` } });
    expect((await client.ended(id)).error?.code).to.equal('ADDRESS_NOT_ALLOWED');
  });

  it('gives up at the time limit of the task', async () => {
    const { id } = await submitted({ type: 'web_scrape', payload: { url: `${site.origin}/hangs` }, timeoutMs: 300 });
    expect((await client.ended(id)).error?.code).to.equal('TIMEOUT');
  });

  it('waits for the end when asked to', async () => {
    const answer = await client.post<ShownTask>(
      '/tasks',
      { type: 'noop', payload: { echo: { n: 1 } } },
      { prefer: 'wait=20' },
    );
    expect(answer.status).to.equal(201);
    expect(answer.body.status).to.equal('success');
    const again = await client.get<ShownTask>(`/tasks/${answer.body.id}`);
    expect(again.body.status).to.equal('success');
    const result = await client.get(`/tasks/${answer.body.id}/result`);
    expect(result.body).to.deep.equal({ n: 1 });
  });
});
