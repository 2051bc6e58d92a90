import type { TaskQueued } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { failed, queued, started, succeeded } from '../testing/events.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';
import { ViewWriter } from '../testing/viewWriter.ts';

describe('lists of tasks', () => {
  const { ann, bob, admin } = accounts;
  const start = Date.parse('2026-01-31T08:00:00.000Z');
  let api: TestApi;
  /** Twelve tasks of ann's (four at each of three times), two of bob's; by creation and id, the newest first. */
  let tasks: TaskQueued[];
  let ofAnn: string[];

  before(async () => {
    api = await startTestApi();
    const view = new ViewWriter(api.pool);
    const make = (account: { principal: { userId: string } }, n: number): TaskQueued => {
      const { userId } = account.principal;
      const type = n % 3 === 0 ? api.types.page : api.types.any;
      const head = {
        userId,
        type,
        priority: n % 4 === 0 ? 'high' : 'normal',
        occurredAt: start + Math.floor(n / 4) * 1_000,
      };
      return queued({ ...head, task: { tags: n % 2 === 0 ? ['even', 'a,b'] : ['odd'] } });
    };
    tasks = [...Array.from({ length: 12 }, (_, n) => make(ann, n)), make(bob, 1), make(bob, 2)];
    await view.show(tasks);
    const [one, two, three] = tasks as [TaskQueued, TaskQueued, TaskQueued];
    await view.show([started(one), started(two), succeeded(two), started(three), failed(three)]);
    const order = (a: TaskQueued, b: TaskQueued) => b.occurredAt - a.occurredAt || (a.taskId < b.taskId ? 1 : -1);
    ofAnn = tasks
      .slice(0, 12)
      .sort(order)
      .map(({ taskId }) => taskId);
  });
  after(() => api?.close());

  const list = async (query: string, key: string = ann.key) => {
    const { status, json } = await api.call(`/tasks${query}`, { key });
    expect(status, JSON.stringify(json)).to.equal(200);
    return json as { items: { id: string }[]; nextCursor: string | null };
  };
  const ids = async (query: string, key?: string) => (await list(query, key)).items.map(({ id }) => id);
  const annsWhere = (wanted: (task: TaskQueued, n: number) => boolean) => {
    const found = new Set(
      tasks
        .slice(0, 12)
        .filter(wanted)
        .map(({ taskId }) => taskId),
    );
    return ofAnn.filter((id) => found.has(id));
  };

  it('lists what is one’s own, the newest first', async () => {
    expect(await ids('')).to.deep.equal(ofAnn);
    expect(await ids('', bob.key)).to.have.length(2);
  });

  it('lists all to an administrator, or those of a user', async () => {
    expect(await ids('', admin.key)).to.have.length(14);
    expect(await ids(`?user=${bob.principal.userId}`, admin.key)).to.have.length(2);
    expect(await ids(`?user=${ann.principal.userId}`)).to.deep.equal(ofAnn);
    for (const path of ['/tasks', '/tasks/counts']) {
      const { status, json } = await api.call(`${path}?user=${bob.principal.userId}`);
      expect([status, json.type]).to.deep.equal([403, 'urn:taskflow:problem:forbidden']);
    }
  });

  const filters: readonly [string, () => string, (task: TaskQueued, n: number) => boolean][] = [
    ['type', () => `type=${api.types.page}`, ({ type }) => type === api.types.page],
    ['status queued', () => 'status=queued', (_, n) => n > 2],
    ['status running', () => 'status=running', (_, n) => n === 0],
    ['status success', () => 'status=success', (_, n) => n === 1],
    ['status failed', () => 'status=failed', (_, n) => n === 2],
    ['priority', () => 'priority=high', ({ priority }) => priority === 'high'],
    ['tag', () => 'tag=even', (_, n) => n % 2 === 0],
    ['a tag with a comma', () => 'tag=a%2Cb', (_, n) => n % 2 === 0],
    ['from', () => 'from=2026-01-31T08:00:01Z', (_, n) => n >= 4],
    ['from with another offset', () => 'from=2026-01-31T10:00:01%2B02:00', (_, n) => n >= 4],
    ['to', () => 'to=2026-01-31T08:00:01Z', (_, n) => n < 4],
    ['a span of time', () => 'from=2026-01-31T08:00:01Z&to=2026-01-31T08:00:02Z', (_, n) => n >= 4 && n < 8],
    [
      'all of them',
      () =>
        `type=${api.types.any}&status=queued&priority=normal&tag=odd&from=2026-01-31T08:00:00Z&to=2026-01-31T09:00:00Z`,
      ({ type, priority }, n) => type === api.types.any && n > 2 && priority === 'normal' && n % 2 === 1,
    ],
    ['what there is not', () => 'tag=none', () => false],
  ];
  for (const [what, query, wanted] of filters) {
    it(`can be narrowed by ${what}`, async () => {
      expect(await ids(`?${query()}`)).to.deep.equal(annsWhere(wanted));
    });
  }

  it('go on where a page ended, each task once, at every size of page', async () => {
    for (const size of [1, 3, 5, 12, 13]) {
      const seen: string[] = [];
      let cursor: string | null = '';
      let pages = 0;
      while (cursor !== null) {
        const page = await list(`?limit=${size}${cursor && `&cursor=${cursor}`}`);
        expect(page.items.length).to.be.at.most(size);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        pages++;
      }
      expect(seen).to.deep.equal(ofAnn);
      expect(pages).to.equal(Math.ceil(12 / size));
    }
  });

  it('go on rightly when tasks come meanwhile', async () => {
    const first = await list('?limit=4');
    const newer = queued({ userId: ann.principal.userId, type: api.types.any, occurredAt: start + 60_000 });
    const view = new ViewWriter(api.pool);
    await view.show([newer]);
    const second = await ids(`?limit=4&cursor=${first.nextCursor}`);
    await view.forget(newer.taskId);
    expect(second).to.deep.equal(ofAnn.slice(4, 8));
  });

  describe('refuse', () => {
    const cursorOf = async (query: string, key?: string) => (await list(`?limit=1${query}`, key)).nextCursor;
    const refused = async (query: string, kind: string, key: string = ann.key) => {
      const { status, json } = await api.call(`/tasks?${query}`, { key });
      expect([status, json.type], query).to.deep.equal([400, `urn:taskflow:problem:${kind}`]);
      return json.errors[0].path as string;
    };

    it('a cursor that is none, also one that was changed', async () => {
      const cursor = (await cursorOf('')) as string;
      for (const bad of [
        'x',
        '%00',
        cursor.slice(1),
        `${cursor}A`,
        cursor.replace(/.$/, cursor.endsWith('A') ? 'B' : 'A'),
      ]) {
        expect(await refused(`cursor=${bad}`, 'invalid-cursor')).to.equal('cursor');
      }
      expect(await refused(`cursor=${'A'.repeat(201)}`, 'invalid-request')).to.equal('cursor');
    });

    it("a cursor of other filters, or of somebody else's list", async () => {
      await refused(`status=queued&cursor=${await cursorOf('')}`, 'invalid-cursor');
      await refused(`cursor=${await cursorOf('', bob.key)}`, 'invalid-cursor');
      await refused(`cursor=${await cursorOf('', admin.key)}`, 'invalid-cursor');
    });

    for (const [query, path] of [
      ['limit=0', 'limit'],
      ['limit=501', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=', 'limit'],
      ['status=done', 'status'],
      ['priority=urgent', 'priority'],
      ['user=me', 'user'],
      ['from=yesterday', 'from'],
      ['to=2026-01-31', 'to'],
      ['type=a.b', 'type'],
      ['tag=', 'tag'],
      ['tag=%00', 'tag'],
      ['stauts=queued', 'stauts'],
      ['tag=a&tag=b', 'tag'],
      ['__proto__=1', '__proto__'],
    ] as const) {
      it(`the query ${query}`, async () => expect(await refused(query, 'invalid-request')).to.equal(path));
    }
  });

  describe('GET /tasks/counts', () => {
    const counts = async (query: string, key: string = ann.key) => {
      const { json } = await api.call(`/tasks/counts${query}`, { key });
      return json.items.map((item: { type: string; status: string; count: number }) => [
        item.type === api.types.any ? 'any' : 'page',
        item.status,
        item.count,
      ]);
    };

    it('counts one’s own by type and status', async () => {
      expect(await counts('')).to.deep.equal([
        ['any', 'failed', 1],
        ['any', 'queued', 6],
        ['any', 'success', 1],
        ['page', 'queued', 3],
        ['page', 'running', 1],
      ]);
    });

    it('counts a type, a user, and all', async () => {
      expect(await counts(`?type=${api.types.page}`)).to.deep.equal([
        ['page', 'queued', 3],
        ['page', 'running', 1],
      ]);
      expect(await counts(`?user=${bob.principal.userId}`, admin.key)).to.deep.equal([['any', 'queued', 2]]);
      expect(
        (await counts('', admin.key)).reduce((sum: number, [, , count]: [string, string, number]) => sum + count, 0),
      ).to.equal(14);
      expect((await api.call('/tasks/counts?status=queued')).status).to.equal(400);
    });
  });
});
