import type { TaskEvent } from '@taskflow/schemas/events';
import { queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { failed, queued, started, succeeded } from '../testing/events.ts';
import { type LiveView, liveView } from '../testing/liveView.ts';
import { appendEvents } from '../testing/logRecords.ts';
import { queueRecords } from '../testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /tasks/{id}/retry', () => {
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
  const task = (changes = {}) =>
    queued({ userId: ann.principal.userId, type: api.types.any, eventsPartition: partition, ...changes });
  const given = async (status: string, ...events: readonly TaskEvent[]): Promise<string> => {
    await appendEvents(api, events, partition);
    const { taskId } = events[0] as TaskEvent;
    for (;;) {
      const { json } = await api.call(`/tasks/${taskId}`, { key: admin.key });
      if (json.status === status) return taskId;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const givenFailed = () => {
    const of = task({ task: { expiresAt: 1_760_000_000_500, tags: ['kept'], maxAttempts: 5 } });
    return given('failed', of, started(of), failed(of));
  };
  const retry = (id: string, body?: unknown, key: string = ann.key) =>
    api.call(`/tasks/${id}/retry`, { method: 'POST', key, body });
  const redriven = async (id: string) =>
    (await queueRecords(api.cluster, queueTopic(api.types.any, 'normal')))
      .filter(({ key }) => key === id)
      .map(({ event }) => event)
      .filter(({ generation }) => generation > 0);

  it('queues a failed task in its next generation: from the first attempt, nothing counted, without expiry', async () => {
    const id = await givenFailed();
    const { status, json } = await retry(id, { reason: 'the site is back' });
    expect(status).to.equal(202);
    expect(json).to.include({
      id,
      status: 'queued',
      generation: 1,
      attempt: 1,
      retryCount: 0,
      error: null,
      maxAttempts: 5,
    });
    expect(json.tags).to.deep.equal(['kept']);
    const [event, ...more] = await redriven(id);
    expect(more).to.deep.equal([]);
    expect(event).to.include({
      generation: 1,
      attempt: 1,
      failures: 0,
      recoveries: 0,
      cause: 'redrive',
      check: false,
      eventsPartition: partition,
      actor: ann.principal.userId,
      reason: 'the site is back',
    });
    expect(event?.task.expiresAt).to.equal(null);
    const history = (await api.call(`/tasks/${id}/events`)).json.items;
    expect(history.at(-1)).to.include({
      event: 'TaskQueued',
      cause: 'redrive',
      actor: ann.principal.userId,
      reason: 'the site is back',
    });
  });

  it('queues a cancelled one, and again after its next end', async () => {
    const id = await given('queued', task());
    expect((await api.call(`/tasks/${id}/cancel`, { method: 'POST' })).status).to.equal(202);
    expect((await retry(id)).json).to.include({ status: 'queued', generation: 1 });
    expect((await api.call(`/tasks/${id}/cancel`, { method: 'POST' })).status).to.equal(202);
    expect((await retry(id)).json).to.include({ status: 'queued', generation: 2 });
    expect((await redriven(id)).map(({ generation }) => generation)).to.deep.equal([1, 2]);
  });

  for (const [status, events] of [
    ['queued', () => [task()]],
    ['running', () => ((of) => [of, started(of)])(task())],
    ['success', () => ((of) => [of, started(of), succeeded(of)])(task())],
  ] as const) {
    it(`answers 409 with the status of what is ${status}`, async () => {
      const id = await given(status, ...events());
      const answer = await retry(id);
      expect([answer.status, answer.json.taskStatus]).to.deep.equal([409, status]);
      expect(answer.json.type).to.equal('urn:taskflow:problem:task-not-retryable');
      expect(await redriven(id)).to.deep.equal([]);
    });
  }

  it('is done once, of many at a time, also while the view is behind', async () => {
    const id = await givenFailed();
    await view.hold();
    const answering = Promise.all(Array.from({ length: 8 }, () => retry(id)));
    view.goOn();
    const answers = await answering;
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([202, 409, 409, 409, 409, 409, 409, 409]);
    for (const { status, json } of answers) if (status === 409) expect(json.taskStatus).to.equal('queued');
    expect(await redriven(id)).to.have.length(1);
  });

  it('takes over what an api has claimed that is no more: a copy, which is to be checked', async () => {
    const id = await givenFailed();
    const eventId = '01999999-0000-7000-8000-0000000000c1';
    await api.pool.query(
      `insert into redrive_claims (task_id, generation, event_id, actor, reason, claimed_until)
       values ($1, 1, $2, $3, 'first', now() - interval '1 second')`,
      [id, eventId, admin.principal.userId],
    );
    expect((await retry(id, { reason: 'second' })).status).to.equal(202);
    const [event] = await redriven(id);
    expect(event).to.include({ eventId, check: true, actor: admin.principal.userId, reason: 'first' });
  });

  it('waits for one that is being made, and says so', async () => {
    const id = await givenFailed();
    await api.pool.query(
      `insert into redrive_claims (task_id, generation, event_id, actor, claimed_until)
       values ($1, 1, $2, $3, now() + interval '1 minute')`,
      [id, '01999999-0000-7000-8000-0000000000c2', ann.principal.userId],
    );
    const answer = retry(id);
    await api.pool.query('update redrive_claims set appended_at = now() where task_id = $1', [id]);
    const { status, json } = await answer;
    expect([status, json.taskStatus]).to.be.deep.oneOf([
      [409, 'failed'],
      [409, 'queued'],
    ]);
    expect(await redriven(id)).to.deep.equal([]);
  });

  it('is not for others', async () => {
    const id = await givenFailed();
    expect((await retry(id, {}, bob.key)).status).to.equal(404);
    expect((await retry(id, {}, admin.key)).status).to.equal(202);
  });

  it('refuses bad bodies and ids', async () => {
    const id = '01999999-0000-7000-8000-000000000001';
    for (const body of [{ reason: '' }, { reason: 1 }, { generation: 2 }, [], '{'])
      expect((await retry(id, body)).status, JSON.stringify(body)).to.equal(400);
    expect((await retry('x')).status).to.equal(400);
    expect((await retry(id)).status).to.equal(404);
  });
});
