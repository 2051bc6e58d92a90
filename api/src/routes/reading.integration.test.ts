import { uuidv7 } from '@taskflow/core/ids';
import type { TaskQueued } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { failed, queued, started, succeeded } from '../testing/events.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';
import { ViewWriter } from '../testing/viewWriter.ts';
import { logEnds } from '../views/logEnds.ts';

describe('reading tasks', () => {
  let api: TestApi;
  let view: ViewWriter;
  before(async () => {
    api = await startTestApi();
    view = new ViewWriter(api.pool, api.redis.client);
  });
  after(() => api?.close());

  const { ann, bob, admin } = accounts;
  const of = (account: { principal: { userId: string } }, rest: Partial<TaskQueued> = {}) =>
    queued({ userId: account.principal.userId, type: api.types.any, ...rest });
  const caughtUp = async () => view.moveTo(await logEnds(api.cluster, { all: () => api.registered.values() }));

  describe('GET /tasks/{id}', () => {
    it('shows a task as it is, and no member more', async () => {
      const task = of(ann, { task: { ...of(ann).task, payload: '{"a":[1,"\\u0000"]}', tags: ['x', 'y"\\'] } });
      const first = await view.show([task, started(task), failed(task, 'HTTP_STATUS')]);
      const { status, json } = await api.call(`/tasks/${task.taskId}`);
      expect(status).to.equal(200);
      const at = (ms: number) => new Date(task.occurredAt + ms).toISOString();
      expect(json).to.deep.equal({
        id: task.taskId,
        userId: ann.principal.userId,
        type: api.types.any,
        priority: 'normal',
        status: 'failed',
        payload: { a: [1, '\u0000'] },
        tags: ['x', 'y"\\'],
        generation: 0,
        attempt: 1,
        maxAttempts: 3,
        retryCount: 0,
        createdAt: at(0),
        runAt: null,
        queuedAt: at(0),
        startedAt: at(5),
        finishedAt: at(20),
        error: { code: 'HTTP_STATUS', message: 'The handler threw', retryable: true },
        result: null,
        workflowRunId: null,
        scheduleId: null,
        log: {
          queue: { topic: queueTopic(api.types.any, 'normal'), partition: 0, offset: first },
          events: {
            topic: eventsTopic(api.types.any, 'normal'),
            partition: 0,
            firstOffset: first + 1,
            lastOffset: first + 2,
          },
        },
      });
    });

    it('takes an id in upper case', async () => {
      const task = of(ann);
      await view.show([task]);
      expect((await api.call(`/tasks/${task.taskId.toUpperCase()}`)).json.id).to.equal(task.taskId);
    });

    for (const id of ['x', '123', '%00', '0189', '01890a5d-ac96-774b-bcce-b302099a805', "1'--", 'counts2']) {
      it(`answers 400 to the id ${id}`, async () => {
        const { status, json } = await api.call(`/tasks/${id}`);
        expect([status, json.errors[0].path]).to.deep.equal([400, 'id']);
      });
    }

    it('answers 404 once the view has passed the log as it was', async () => {
      await caughtUp();
      const { status, json } = await api.call(`/tasks/${uuidv7()}`);
      expect([status, json.type]).to.deep.equal([404, 'urn:taskflow:problem:task-not-found']);
    });

    it('does not know a task whose submission the view has not read', async () => {
      const task = of(ann);
      await view.show([started(task)]);
      await caughtUp();
      expect((await api.call(`/tasks/${task.taskId}`)).status).to.equal(404);
    });

    it('waits for a task that is on the log, and is woken when the view shows it', async () => {
      const submitted = await api.call('/tasks', { body: { type: api.types.any, payload: {} } });
      const read = api.call(`/tasks/${submitted.json.id}`);
      await view.show([of(ann, { taskId: submitted.json.id })]);
      expect((await read).status).to.equal(200);
    });

    it('never says 404 while the view is behind, but 503', async () => {
      await api.call('/tasks', { body: { type: api.types.any, payload: {} } });
      const { status, json, headers } = await api.call(`/tasks/${uuidv7()}`);
      expect([status, json.type]).to.deep.equal([503, 'urn:taskflow:problem:view-behind']);
      expect(headers.get('retry-after')).to.equal('1');
      await caughtUp();
    });
  });

  describe("of another user's task", () => {
    const verbs: readonly [string, string][] = [
      ['GET', ''],
      ['GET', '/result'],
      ['GET', '/logs'],
      ['GET', '/events'],
    ];
    for (const [method, path] of verbs) {
      it(`${method} /tasks/{id}${path} knows nothing`, async () => {
        const task = of(bob);
        await view.show([task, started(task), succeeded(task)]);
        await caughtUp();
        const asked = `/tasks/${task.taskId}${path}`;
        const missing = await api.call(`/tasks/${uuidv7()}${path}`, { method });
        const foreign = await api.call(asked, { method });
        const same = ({ status, json }: typeof foreign) => [status, json.type, json.title];
        expect(foreign.status).to.equal(404);
        expect(same(foreign)).to.deep.equal(same(missing));
        expect((await api.call(asked, { method, key: bob.key })).status).to.equal(200);
        expect((await api.call(asked, { method, key: admin.key })).status).to.equal(200);
      });
    }
  });

  describe('GET /tasks/{id}/events', () => {
    it('tells what happened, in order, and what of it counted', async () => {
      const task = of(ann);
      await view.show([task, started(task), succeeded(task), failed(task)]);
      const { json } = await api.call(`/tasks/${task.taskId}/events`);
      const told = json.items.map((item: Record<string, unknown>) => [
        item.event,
        item.counted,
        item.delivery,
        item.workerId,
      ]);
      expect(told).to.deep.equal([
        ['TaskQueued', true, null, null],
        ['TaskStarted', true, 1, 'worker-1.4711.k3x9'],
        ['TaskSucceeded', true, null, 'worker-1.4711.k3x9'],
        ['TaskFailed', false, null, 'worker-1.4711.k3x9'],
      ]);
      expect(json.items[0]).to.include({ topic: queueTopic(api.types.any, 'normal'), cause: 'submit' });
      expect(json.items[1]).to.include({ topic: eventsTopic(api.types.any, 'normal'), starts: 1 });
      expect(json.items[3].error).to.include({ code: 'HANDLER_ERROR' });
    });
  });

  describe('GET /tasks/{id}/result', () => {
    const shown = async (result: Parameters<typeof succeeded>[1]) => {
      const task = of(ann, { occurredAt: Date.now() });
      await view.show([task, started(task), succeeded(task, result)]);
      return task;
    };

    it('gives a result that is kept in the task', async () => {
      for (const value of ['{"a":[1,null]}', 'null', '"text"', '0', '"<script>alert(1)</script>"']) {
        const { taskId } = await shown({ value });
        const { status, text, headers } = await api.call(`/tasks/${taskId}/result`);
        expect([status, text]).to.deep.equal([200, value]);
        expect(headers.get('content-type')).to.equal('application/json; charset=utf-8');
        expect(headers.get('x-content-type-options')).to.equal('nosniff');
      }
    });

    it('gives the document of the Mongo view', async () => {
      const value = { title: 'A page', headings: [{ level: 1, text: 'Ü' }], none: null, size: 12.5 };
      const { taskId } = await shown({ storage: 'mongo', value: null, ref: `ref-${uuidv7()}` });
      const ref = (await api.call(`/tasks/${taskId}`)).json.result.ref;
      const read = api.call(`/tasks/${taskId}/result`);
      await api.mongo.collection<{ _id: string; value: unknown }>('results').insertOne({ _id: ref, value });
      const { status, json } = await read;
      expect(status).to.equal(200);
      expect(json).to.deep.equal(value);
    });

    it('gives the text of a result that could not be a document', async () => {
      const json = '{"$a.b":[[1],"\\u0000"]}';
      const { taskId } = await shown({ storage: 'mongo', value: null, ref: 'as-text' });
      const results = api.mongo.collection<{ _id: string; value: unknown; json: string }>('results');
      await results.insertOne({ _id: 'as-text', value: null, json });
      expect((await api.call(`/tasks/${taskId}/result`)).text).to.equal(json);
    });

    it('answers 503 while the document has not come, never 404', async () => {
      const { taskId } = await shown({ storage: 'mongo', value: null, ref: 'not-there-yet' });
      const { status, json, headers } = await api.call(`/tasks/${taskId}/result`);
      expect([status, json.type]).to.deep.equal([503, 'urn:taskflow:problem:view-behind']);
      expect(headers.get('retry-after')).to.equal('1');
    });

    it('answers 409 with the status where there is none', async () => {
      const waiting = of(ann);
      const running = of(ann);
      const broken = of(ann);
      await view.show([waiting, running, started(running), broken, started(broken), failed(broken)]);
      for (const [{ taskId }, status] of [
        [waiting, 'queued'],
        [running, 'running'],
        [broken, 'failed'],
      ] as const) {
        const answer = await api.call(`/tasks/${taskId}/result`);
        expect([answer.status, answer.json.taskStatus]).to.deep.equal([409, status]);
      }
    });

    it('answers 410 when its time is over', async () => {
      const { taskId } = await shown({ ttlMs: 1, value: '1' });
      const task = of(ann);
      await view.show([task, started(task), succeeded(task, { ttlMs: 1 })]);
      expect((await api.call(`/tasks/${task.taskId}/result`)).status).to.equal(410);
      expect((await api.call(`/tasks/${taskId}`)).json.result.expiresAt).to.be.a('string');
    });
  });

  it('GET /tasks/{id}/logs gives the lines in the order in which they were written', async () => {
    const task = of(ann);
    await view.show([task]);
    const line = (at: number, attempt: number, seq: number, message: string) => ({
      _id: `${task.taskId}.0.${attempt}.w.${seq}` as never,
      taskId: task.taskId,
      userId: ann.principal.userId,
      generation: 0,
      attempt,
      workerId: 'worker-1.4711.k3x9',
      seq,
      at: new Date(at),
      level: 'info',
      message,
      fields: [{ bytes: 3 }, '{"$a":1}'][seq],
    });
    await api.mongo.collection('task_logs').insertMany([line(3, 2, 0, 'c'), line(1, 1, 0, 'a'), line(1, 1, 1, 'b')]);
    const { json } = await api.call(`/tasks/${task.taskId}/logs`);
    expect(json.items.map(({ message }: { message: string }) => message)).to.deep.equal(['a', 'b', 'c']);
    expect(json.items[0]).to.deep.equal({
      at: '1970-01-01T00:00:00.001Z',
      level: 'info',
      message: 'a',
      fields: { bytes: 3 },
      generation: 0,
      attempt: 1,
      workerId: 'worker-1.4711.k3x9',
    });
    expect(json.items[1].fields).to.deep.equal({ $a: 1 });
    expect((await api.call(`/tasks/${task.taskId}/logs?limit=1`)).json.items).to.have.length(1);
    expect((await api.call(`/tasks/${task.taskId}/logs?limit=0`)).status).to.equal(400);
  });
});
