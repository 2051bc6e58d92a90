import { expect } from 'chai';
import { failed, queued, retryScheduled, started } from '../testing/events.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';
import { ViewWriter } from '../testing/viewWriter.ts';

describe('GET /dead-letters', () => {
  const { ann, bob, admin } = accounts;
  let api: TestApi;
  let view: ViewWriter;

  before(async () => {
    api = await startTestApi();
    view = new ViewWriter(api.pool);
    const at = (n: number) => 1_760_000_000_000 + n * 1_000;
    const dead = async (userId: string, type: string, code: string, n: number) => {
      const task = queued({ userId, type, occurredAt: at(n) });
      await view.show([task, started(task), failed(task, code)]);
    };
    const [one, two] = [ann.principal.userId, bob.principal.userId];
    await dead(one, api.types.any, 'TIMEOUT', 3);
    await dead(one, api.types.any, 'TIMEOUT', 1);
    await dead(one, api.types.any, 'BROKEN', 2);
    await dead(one, api.types.page, 'TIMEOUT', 4);
    await dead(two, api.types.any, 'TIMEOUT', 5);
    const retrying = queued({ userId: one, type: api.types.any });
    await view.show([retrying, started(retrying), retryScheduled(retrying, 'TIMEOUT')]);
  });
  after(() => api?.close());

  const list = async (query = '', key: string = ann.key) => {
    const { status, json } = await api.call(`/dead-letters${query}`, { key });
    expect(status).to.equal(200);
    return json.items.map(
      ({ type, code, count, lastAt }: { type: string; code: string; count: number; lastAt: string }) => [
        type === api.types.any ? 'any' : 'page',
        code,
        count,
        lastAt,
      ],
    );
  };
  /** When a task ended that began in the n-th second. */
  const end = (n: number) => new Date(1_760_000_000_020 + n * 1_000).toISOString();

  it('counts one’s own failed tasks by type and code, and says when the last one failed', async () => {
    expect(await list()).to.deep.equal([
      ['any', 'BROKEN', 1, end(2)],
      ['any', 'TIMEOUT', 2, end(3)],
      ['page', 'TIMEOUT', 1, end(4)],
    ]);
  });

  it('counts those of all for an administrator, or of a user, or of a type', async () => {
    expect(
      (await list('', admin.key)).find(([type, code]: string[]) => type === 'any' && code === 'TIMEOUT'),
    ).to.deep.equal(['any', 'TIMEOUT', 3, end(5)]);
    expect(await list(`?user=${bob.principal.userId}`, admin.key)).to.deep.equal([['any', 'TIMEOUT', 1, end(5)]]);
    expect(await list(`?type=${api.types.page}`)).to.deep.equal([['page', 'TIMEOUT', 1, end(4)]]);
    expect((await api.call(`/dead-letters?user=${bob.principal.userId}`)).status).to.equal(403);
  });

  it('forgets what is run again', async () => {
    const task = queued({ userId: bob.principal.userId, type: api.types.page });
    await view.show([task, started(task), failed(task, 'ONCE')]);
    expect(await list('', bob.key)).to.deep.include(['page', 'ONCE', 1, end(0)]);
    await view.show([
      queued({ ...task, generation: 1, cause: 'redrive', eventId: '01999999-0000-7000-8000-0000000000d1' }),
    ]);
    expect((await list('', bob.key)).map(([, code]: string[]) => code)).not.to.include('ONCE');
  });

  it('has the same tasks as the list by error code', async () => {
    const { json } = await api.call(`/tasks?status=failed&type=${api.types.any}&errorCode=TIMEOUT`);
    expect(json.items).to.have.length(2);
    expect((await api.call('/tasks?errorCode=timeout')).status).to.equal(400);
  });

  it('refuses what it does not know', async () => {
    for (const query of ['code=TIMEOUT', 'type=A.b', 'user=me', 'limit=1'])
      expect((await api.call(`/dead-letters?${query}`)).status, query).to.equal(400);
  });
});
