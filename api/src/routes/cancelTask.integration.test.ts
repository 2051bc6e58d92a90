import { readRange } from '@taskflow/log/reader';
import type { TaskCancelRequested, TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { controlTopic, eventsTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { queued, retryScheduled, scheduled, started, succeeded } from '../testing/events.ts';
import { type LiveView, liveView } from '../testing/liveView.ts';
import { appendEvents } from '../testing/logRecords.ts';
import { accounts, codec, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /tasks/{id}/cancel', () => {
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

  const partition = 2;
  const task = () => queued({ userId: ann.principal.userId, type: api.types.any, eventsPartition: partition });
  const shown = async (id: string, status: string) => {
    for (;;) {
      const { json } = await api.call(`/tasks/${id}`, { key: admin.key });
      if (json.status === status) return json;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const given = async (status: string, ...events: readonly TaskEvent[]): Promise<string> => {
    await appendEvents(api, events, partition);
    const { taskId } = events[0] as TaskEvent;
    await shown(taskId, status);
    return taskId;
  };
  const cancel = (id: string, body?: unknown, key: string = ann.key) =>
    api.call(`/tasks/${id}/cancel`, { method: 'POST', key, body });
  const signals = async (id: string): Promise<TaskCancelRequested[]> => {
    const found: TaskCancelRequested[] = [];
    for await (const records of readRange(api.cluster, { topic: controlTopic, partition: 0, from: 'start' })) {
      for (const { key, value } of records)
        if (String(key) === id && value !== null) found.push(codec.decode(value) as TaskCancelRequested);
    }
    return found;
  };

  const cases: readonly [string, (of: TaskQueued) => readonly TaskEvent[]][] = [
    ['scheduled', (of) => [scheduled(of, of.occurredAt + 60_000)]],
    ['queued', (of) => [of]],
    ['running', (of) => [of, started(of)]],
    ['retrying', (of) => [of, started(of), retryScheduled(of)]],
  ];
  for (const [status, events] of cases) {
    it(`ends what is ${status}: the event where its events lie, the signal, the history`, async () => {
      const id = await given(status, ...events(task()));
      const { status: answered, json } = await cancel(id, { reason: 'no longer needed' });
      expect(answered).to.equal(202);
      expect(json).to.include({ id, status: 'cancelled', generation: 0, attempt: 1 });
      expect(json.log.events.partition).to.equal(partition);
      const history = (await api.call(`/tasks/${id}/events`)).json.items;
      expect(history.at(-1)).to.include({
        event: 'TaskCancelled',
        counted: true,
        actor: ann.principal.userId,
        reason: 'no longer needed',
        topic: eventsTopic(api.types.any, 'normal'),
        partition,
      });
      const [signal, ...more] = await signals(id);
      expect(signal).to.include({ event: 'TaskCancelRequested', taskId: id, generation: 0, type: api.types.any });
      expect(more).to.deep.equal([]);
    });
  }

  it('needs no body, and gives no reason then', async () => {
    const id = await given('queued', task());
    expect((await cancel(id)).status).to.equal(202);
    const last = (await api.call(`/tasks/${id}/events`)).json.items.at(-1);
    expect(last).to.include({ actor: ann.principal.userId }).and.not.to.have.property('reason');
  });

  it('is for an administrator, too, who is then named; for other users the task is not there', async () => {
    const id = await given('queued', task());
    expect((await cancel(id, {}, bob.key)).status).to.equal(404);
    expect((await cancel(id, {}, admin.key)).status).to.equal(202);
    const last = (await api.call(`/tasks/${id}/events`)).json.items.at(-1);
    expect(last).to.include({ actor: admin.principal.userId });
  });

  it('answers 409 with the status of what has ended', async () => {
    const of = task();
    const id = await given('success', of, started(of), succeeded(of));
    const { status, json } = await cancel(id);
    expect(status).to.equal(409);
    expect(json).to.include({ type: 'urn:taskflow:problem:task-not-cancellable', taskStatus: 'success' });
    expect(await signals(id)).to.deep.equal([]);
  });

  it('gives the signal of a cancelled task again, in case whoever cancelled it died before', async () => {
    const id = await given('queued', task());
    await cancel(id);
    const { status, json } = await cancel(id);
    expect([status, json.taskStatus]).to.deep.equal([409, 'cancelled']);
    expect((await signals(id)).map(({ generation }) => generation)).to.deep.equal([0, 0]);
  });

  it('counts once where two meet', async () => {
    const id = await given('queued', task());
    await view.hold();
    const both = Promise.all([cancel(id, { reason: 'one' }), cancel(id, { reason: 'two' })]);
    view.goOn();
    const answers = await both;
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.json.taskStatus).to.equal('cancelled');
    const { items } = (await api.call(`/tasks/${id}/events`)).json;
    const ends = items.filter(
      (item: { event: string; counted: boolean }) => item.event === 'TaskCancelled' && item.counted,
    );
    expect(ends).to.have.length(1);
  });

  it('loses to a success that came to the log before it, and says so', async () => {
    const of = task();
    const id = await given('running', of, started(of));
    await view.hold();
    await appendEvents(api, [succeeded(of)], partition);
    const answer = cancel(id);
    view.goOn();
    const { status, json } = await answer;
    expect([status, json.taskStatus]).to.deep.equal([409, 'success']);
    expect((await shown(id, 'success')).result).not.to.equal(null);
  });

  it('wins over a success that comes after it', async () => {
    const of = task();
    const id = await given('running', of, started(of));
    expect((await cancel(id)).status).to.equal(202);
    await appendEvents(api, [succeeded(of)], partition);
    const late = async () => (await api.call(`/tasks/${id}/events`)).json.items.find(isSuccess);
    const isSuccess = ({ event }: { event: string }) => event === 'TaskSucceeded';
    while ((await late()) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await late()).to.include({ counted: false });
    expect((await api.call(`/tasks/${id}`)).json.status).to.equal('cancelled');
  });

  it('answers as the task will be where the view does not show it in time', async () => {
    const id = await given('queued', task());
    await view.hold();
    try {
      const { status, json } = await cancel(id);
      expect(status).to.equal(202);
      expect(json.status).to.equal('cancelled');
    } finally {
      view.goOn();
    }
  });

  describe('refuses', () => {
    const refused: readonly [string, unknown, number, string | undefined][] = [
      ['an unknown field', { why: 'x' }, 400, 'why'],
      ['a reason that is no text', { reason: 7 }, 400, 'reason'],
      ['an empty reason', { reason: '' }, 400, 'reason'],
      ['a reason that is too long', { reason: 'x'.repeat(501) }, 400, 'reason'],
      ['a reason with NUL', { reason: 'a\0b' }, 400, 'reason'],
      ['a list', [], 400, ''],
      ['malformed JSON', '{"reason":', 400, undefined],
      ['a body that is too large', { reason: 'x'.repeat(20_000) }, 413, undefined],
    ];
    for (const [what, body, status, path] of refused) {
      it(what, async () => {
        const id = '01999999-0000-7000-8000-000000000001';
        const answer = await cancel(id, body);
        expect(answer.status).to.equal(status);
        if (path !== undefined) expect(answer.json.errors[0].path).to.equal(path);
      });
    }

    it('an id that is none, and one that is nobody’s', async () => {
      expect((await cancel('7')).status).to.equal(400);
      expect((await cancel('01999999-0000-7000-8000-000000000001')).status).to.equal(404);
    });

    it('another media type', async () => {
      const headers = { 'content-type': 'text/plain' };
      const path = '/tasks/01999999-0000-7000-8000-000000000001/cancel';
      expect((await api.call(path, { method: 'POST', headers, body: 'why not' })).status).to.equal(415);
    });
  });
});
