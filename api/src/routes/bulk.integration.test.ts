import { uuidv7 } from '@taskflow/core/ids';
import { readRange } from '@taskflow/log/reader';
import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { controlTopic, queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { failed, queued, started, succeeded } from '../testing/events.ts';
import { type LiveView, liveView } from '../testing/liveView.ts';
import { appendEvents } from '../testing/logRecords.ts';
import { queueRecords } from '../testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /tasks/bulk', () => {
  const { ann, bob, admin } = accounts;
  let api: TestApi;
  let view: LiveView;

  before(async () => {
    api = await startTestApi();
    view = await liveView(api);
  });
  after(async () => {
    await view?.stop();
    await api?.close();
  });

  const partition = 1;
  const task = (tag: string, userId: string = ann.principal.userId) =>
    queued({ userId, type: api.types.any, eventsPartition: partition, task: { tags: [tag] } });
  const dead = (of: TaskQueued, code: string) => [of, started(of), failed(of, code)];
  const given = async (...events: readonly TaskEvent[]): Promise<string[]> => {
    await appendEvents(api, events, partition);
    return [...new Set(events.map(({ taskId }) => taskId))];
  };
  const bulk = (body: object, key: string = ann.key) => api.call('/tasks/bulk', { body, key });
  const done = async (id: string, key: string = ann.key) => {
    for (;;) {
      const { status, json } = await api.call(`/bulk/${id}`, { key });
      expect(status).to.equal(200);
      if (json.state === 'done') return json;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const started202 = async (body: object, key?: string) => {
    const { status, json, headers } = await bulk(body, key);
    expect(status, JSON.stringify(json)).to.equal(202);
    expect(headers.get('location')).to.equal(`/bulk/${json.id}`);
    return json as { id: string; matched: number };
  };
  const until = async (id: string, status: string) => {
    for (;;) {
      const { json } = await api.call(`/tasks/${id}`, { key: admin.key });
      if (json.status === status) return json;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const lastEvent = async (id: string) => (await api.call(`/tasks/${id}/events`, { key: admin.key })).json.items.at(-1);
  const redriven = async (ids: readonly string[]) =>
    (await queueRecords(api.cluster, queueTopic(api.types.any, 'normal')))
      .map(({ event }) => event)
      .filter(({ taskId, generation }) => generation === 1 && ids.includes(taskId));
  const signalled = async (): Promise<Set<string>> => {
    const found = new Set<string>();
    for await (const records of readRange(api.cluster, { topic: controlTopic, partition: 0, from: 'start' }))
      for (const { key } of records) found.add(String(key));
    return found;
  };

  it('cancels what matches and has not ended, all that was submitted before', async () => {
    const of = task('one');
    const [ended] = await given(of, started(of), succeeded(of));
    const [others] = await given(task('one', bob.principal.userId));
    const ids = await given(task('one'), task('one'));
    const running = task('one');
    ids.push(...(await given(running, started(running))));
    const { id, matched } = await started202({ action: 'cancel', filter: { tag: 'one' }, reason: 'a mistake' });
    expect(matched).to.equal(3);
    expect(await done(id)).to.deep.equal({ state: 'done', matched: 3, done: 3, failed: 0 });
    for (const cancelled of ids) {
      await until(cancelled, 'cancelled');
      expect(await lastEvent(cancelled)).to.include({ actor: ann.principal.userId, reason: 'a mistake', partition });
    }
    expect([...(await signalled())]).to.include.members(ids);
    await until(ended as string, 'success');
    await until(others as string, 'queued');
  });

  it('runs again what failed with an error code, each once', async () => {
    const ids = await given(...dead(task('two'), 'FLAKY'), ...dead(task('two'), 'FLAKY'));
    const [other] = await given(...dead(task('two'), 'BROKEN'));
    const { id, matched } = await started202({
      action: 'retry',
      filter: { tag: 'two', errorCode: 'FLAKY' },
      reason: 'fixed',
    });
    expect(matched).to.equal(2);
    expect(await done(id)).to.include({ done: 2, failed: 0 });
    for (const taskId of ids) expect(await until(taskId, 'queued')).to.include({ generation: 1 });
    await until(other as string, 'failed');
    const events = await redriven(ids);
    expect(events.map(({ taskId }) => taskId).sort()).to.deep.equal(ids.sort());
    for (const event of events) {
      expect(event).to.include({ cause: 'redrive', actor: ann.principal.userId, reason: 'fixed', check: false });
    }
  });

  it('only counts in a dry run', async () => {
    const ids = await given(task('three'), task('three'));
    const { status, json } = await bulk({ action: 'cancel', filter: { tag: 'three' }, dryRun: true });
    expect([status, json]).to.deep.equal([200, { matched: 2 }]);
    for (const id of ids) await until(id, 'queued');
    expect((await bulk({ action: 'retry', filter: { tag: 'three' }, dryRun: true })).json).to.deep.equal({
      matched: 0,
    });
    const running = { action: 'cancel', filter: { tag: 'three', status: 'running' }, dryRun: true };
    expect((await bulk(running)).json).to.deep.equal({ matched: 0 });
    const failedOnes = { action: 'cancel', filter: { tag: 'three', status: 'failed' }, dryRun: true };
    expect((await bulk(failedOnes)).json).to.deep.equal({ matched: 0 });
  });

  it('ends at once where nothing matches', async () => {
    const { id, matched } = await started202({ action: 'cancel', filter: { tag: 'nobody has it' } });
    expect(matched).to.equal(0);
    expect((await api.call(`/bulk/${id}`)).json).to.deep.equal({ state: 'done', matched: 0, done: 0, failed: 0 });
  });

  it('goes on in batches, and is seen by its owner and an administrator only', async () => {
    const ids = await given(...Array.from({ length: 130 }, () => task('many')));
    const { id, matched } = await started202({ action: 'cancel', filter: { tag: 'many', type: api.types.any } });
    expect(matched).to.equal(130);
    expect(await done(id)).to.include({ done: 130, failed: 0 });
    expect([...(await signalled())]).to.include.members(ids);
    expect((await api.call(`/bulk/${id}`, { key: bob.key })).status).to.equal(404);
    expect((await api.call(`/bulk/${id}`, { key: admin.key })).status).to.equal(200);
    const { rows } = await api.pool.query('select count(*) as count from bulk_tasks');
    expect(rows).to.deep.equal([{ count: 0 }]);
  });

  it('leaves alone what has moved on by its turn, and counts it as failed', async () => {
    const of = task('moved');
    const [moved, stays] = await given(of, task('moved'));
    const rows = [moved, stays].map((id) => [id, null] as const);
    await until(stays as string, 'queued');
    await given(started(of), succeeded(of));
    await until(moved as string, 'success');
    const id = await abandoned('cancel', rows);
    expect(await done(id)).to.deep.equal({ state: 'done', matched: 2, done: 1, failed: 1 });
  });

  /** A bulk as an api leaves it that was killed in the middle of a batch. */
  async function abandoned(
    action: string,
    tasks: readonly (readonly [id: string | undefined, eventId: string | null])[],
  ) {
    const id = uuidv7();
    await api.pool.query('begin');
    await api.pool.query(
      `with bulk as (
         insert into bulks (id, user_id, request_id, action, filter, reason, matched, holder, leased_until)
         values ($1, $2, 'r', $3, '{}', 'as before', $4, 'a dead api', now() - interval '1 second'))
       insert into bulk_tasks select $1, * from unnest($5::uuid[], $6::uuid[])`,
      [
        id,
        ann.principal.userId,
        action,
        tasks.length,
        tasks.map(([taskId]) => taskId),
        tasks.map(([, event]) => event),
      ],
    );
    await api.pool.query('commit');
    return id;
  }

  it('is taken up where an api died: what was done counts, what may have been comes again under its id', async () => {
    const [one, two, three] = [task('dead'), task('dead'), task('dead')];
    await given(one, two, three);
    const cancelled = {
      ...started(one),
      event: 'TaskCancelled' as const,
      reason: 'as before',
      actor: ann.principal.userId,
    };
    const { eventId } = cancelled;
    const { delivery, starts, leaseMs, queuePartition, queueOffset, ...event } = cancelled;
    await given(event);
    await until(one.taskId, 'cancelled');
    await until(three.taskId, 'queued');
    const noted = uuidv7();
    const id = await abandoned('cancel', [
      [one.taskId, eventId],
      [two.taskId, noted],
      [three.taskId, null],
    ]);
    expect(await done(id)).to.deep.equal({ state: 'done', matched: 3, done: 3, failed: 0 });
    await until(two.taskId, 'cancelled');
    expect(await lastEvent(two.taskId)).to.include({ eventId: noted, reason: 'as before' });
    expect([...(await signalled())]).to.include.members([one.taskId, two.taskId, three.taskId]);
  });

  it('redrives once what a dead api had claimed', async () => {
    const ids = await given(
      ...dead(task('claimed'), 'X'),
      ...dead(task('claimed'), 'X'),
      ...dead(task('claimed'), 'X'),
    );
    for (const id of ids) await until(id, 'failed');
    const events = ids.map(() => uuidv7());
    const claim = (n: number, until: string, appended: string) =>
      api.pool.query(
        `insert into redrive_claims (task_id, generation, event_id, actor, claimed_until, appended_at)
         values ($1, 1, $2, $3, now() + $4::interval, ${appended})`,
        [ids[n], events[n], ann.principal.userId, until],
      );
    await claim(0, '-1 second', 'null');
    await claim(1, '-1 second', 'now()');
    await claim(2, '300 milliseconds', 'null');
    const id = await abandoned(
      'retry',
      ids.map((taskId, n) => [taskId, events[n] as string] as const),
    );
    expect(await done(id)).to.deep.equal({ state: 'done', matched: 3, done: 3, failed: 0 });
    const found = await redriven(ids);
    expect(found.map(({ taskId }) => taskId)).to.have.members([ids[0], ids[2]]);
    for (const event of found) expect(event).to.include({ check: true, eventId: events[ids.indexOf(event.taskId)] });
  });

  it('is done once, with two apis at work', async () => {
    const other = await startTestApi({ beside: api });
    try {
      const tasks = Array.from({ length: 210 }, () => task('shared'));
      const ids = await given(...tasks.flatMap((of) => dead(of, 'Y')));
      const { id } = await started202({ action: 'retry', filter: { tag: 'shared' } });
      expect(await done(id)).to.include({ matched: ids.length, done: ids.length, failed: 0 });
      expect(await redriven(ids)).to.have.length(ids.length);
    } finally {
      await other.close();
    }
  });

  it('acts on the tasks of all for an administrator', async () => {
    await given(task('all'), task('all', bob.principal.userId));
    const dryRun = true;
    const filter = { tag: 'all' };
    expect((await bulk({ action: 'cancel', filter, dryRun }, admin.key)).json).to.deep.equal({ matched: 2 });
    const ofBob = { ...filter, user: bob.principal.userId };
    expect((await bulk({ action: 'cancel', filter: ofBob, dryRun }, admin.key)).json).to.deep.equal({ matched: 1 });
    expect((await bulk({ action: 'cancel', filter: ofBob, dryRun })).status).to.equal(403);
  });

  describe('refuses', () => {
    for (const [what, body, path] of [
      ['no action', { filter: {} }, 'action'],
      ['another action', { action: 'delete', filter: {} }, 'action'],
      ['no filter', { action: 'cancel' }, 'filter'],
      ['an unknown filter', { action: 'cancel', filter: { name: 'x' } }, 'filter.name'],
      ['a status that is none', { action: 'cancel', filter: { status: 'done' } }, 'filter.status'],
      ['a time that is none', { action: 'cancel', filter: { from: 'yesterday' } }, 'filter.from'],
      ['an error code that is none', { action: 'retry', filter: { errorCode: 'a b' } }, 'filter.errorCode'],
      ['a tag with NUL', { action: 'retry', filter: { tag: '\0' } }, 'filter.tag'],
      ['dryRun as text', { action: 'cancel', filter: {}, dryRun: 'yes' }, 'dryRun'],
      ['an unknown field', { action: 'cancel', filter: {}, limit: 5 }, 'limit'],
      ['an empty reason', { action: 'cancel', filter: {}, reason: '' }, 'reason'],
    ] as const) {
      it(what, async () => {
        const { status, json } = await bulk(body);
        expect([status, json.errors[0].path]).to.deep.equal([400, path]);
      });
    }

    it('no body, and ids of bulks that are none', async () => {
      expect((await api.call('/tasks/bulk', { method: 'POST' })).status).to.be.oneOf([400, 415]);
      expect((await api.call('/bulk/7')).status).to.equal(400);
      expect((await api.call(`/bulk/${uuidv7()}`)).status).to.equal(404);
    });
  });
});
