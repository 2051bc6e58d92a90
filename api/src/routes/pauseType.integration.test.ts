import { readRange } from '@taskflow/log/reader';
import type { TaskflowRecord } from '@taskflow/schemas/events';
import { controlTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { accounts, codec, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /types/{type}/pause and /resume', () => {
  const { ann, admin } = accounts;
  let api: TestApi;

  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  const command = (name: 'pause' | 'resume', type: string, body?: unknown, key: string = admin.key) =>
    api.call(`/types/${type}/${name}`, { method: 'POST', key, body });
  const isPaused = async (of: TestApi, type: string): Promise<boolean> =>
    (await of.call('/types')).json.items.find(({ name }: { name: string }) => name === type).paused;
  const written = async (type: string): Promise<TaskflowRecord[]> => {
    const found: TaskflowRecord[] = [];
    for await (const records of readRange(api.cluster, { topic: controlTopic, partition: 0, from: 'start' })) {
      for (const { key, value } of records) if (String(key) === type && value !== null) found.push(codec.decode(value));
    }
    return found;
  };

  it('show it at once, and write who did it and why', async () => {
    const type = api.types.any;
    expect(await isPaused(api, type)).to.equal(false);
    const paused = await command('pause', type, { reason: 'the site asks us to' });
    expect(paused.status).to.equal(200);
    expect(paused.json).to.include({ name: type, paused: true });
    expect(await isPaused(api, type)).to.equal(true);
    expect(await isPaused(api, api.types.page)).to.equal(false);
    const resumed = await command('resume', type);
    expect(resumed.json).to.include({ name: type, paused: false });
    expect(await isPaused(api, type)).to.equal(false);
    const [pause, resume] = await written(type);
    const actor = admin.principal.userId;
    expect(pause).to.include({ event: 'TypePaused', type, actor, reason: 'the site asks us to' });
    expect(resume).to.include({ event: 'TypeResumed', type, actor, reason: null });
  });

  it('can be said twice', async () => {
    for (const paused of [true, true]) expect((await command('pause', api.types.page)).json.paused).to.equal(paused);
    expect((await command('resume', api.types.page)).json.paused).to.equal(false);
  });

  it('is known to an api that starts later', async () => {
    await command('pause', api.types.page);
    const other = await startTestApi({ beside: api });
    try {
      expect(await isPaused(other, api.types.page)).to.equal(true);
      await command('resume', api.types.page);
      while (await isPaused(other, api.types.page)) await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      await other.close();
    }
  });

  it('takes in tasks of a paused type', async () => {
    await command('pause', api.types.any);
    expect((await api.call('/tasks', { body: { type: api.types.any, payload: {} } })).status).to.equal(201);
    await command('resume', api.types.any);
  });

  it('is for administrators', async () => {
    for (const name of ['pause', 'resume'] as const) {
      const { status, json } = await command(name, api.types.any, {}, ann.key);
      expect([status, json.type]).to.deep.equal([403, 'urn:taskflow:problem:forbidden']);
    }
  });

  it('refuses unknown types, bad names and bad bodies', async () => {
    for (const name of ['pause', 'resume'] as const) {
      const unknown = await command(name, 'nobody_has_it');
      expect([unknown.status, unknown.json.type]).to.deep.equal([404, 'urn:taskflow:problem:type-not-found']);
      expect((await command(name, 'Not-A-Type')).status).to.equal(400);
      for (const body of [{ reason: '' }, { reason: null }, { until: 'tomorrow' }, 'x'])
        expect((await command(name, api.types.any, body)).status, JSON.stringify(body)).to.equal(400);
    }
  });
});
