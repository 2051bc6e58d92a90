import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import { createAppender } from '@taskflow/log/appender';
import { connectCluster } from '@taskflow/log/cluster';
import { eventsTopic } from '@taskflow/schemas/topics';
import { startServiceProcess } from '@taskflow/service/testing/serviceProcess';
import { expect } from 'chai';
import { verifyTasks } from './testing/logChecker.ts';
import type { Problem, ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

interface HistoryItem {
  readonly event: string;
  readonly generation: number;
  readonly attempt: number;
  readonly counted: boolean;
  readonly cause?: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly error?: { readonly code: string };
}

interface Bulk {
  readonly state: string;
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
}

interface DeadLetters {
  readonly type: string;
  readonly code: string;
  readonly count: number;
  readonly lastAt: string;
}

/** What users do with tasks that are under way, and with those that have failed. */
describe('control of tasks', function () {
  this.timeout(120_000);
  const { client, system } = theSystem();
  const developer = '00000000-0000-4000-8000-000000000001';
  const day = 86_400_000;

  const submitted = async (body: object): Promise<ShownTask> => {
    const answer = await client.post<ShownTask>('/tasks', body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body;
  };
  const submittedMany = async (count: number, body: object): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) {
      const tasks = Array.from({ length: Math.min(1_000, count - ids.length) }, () => body);
      const answer = await client.post<{ items: ShownTask[] }>('/tasks/batch', { tasks });
      expect(answer.status, JSON.stringify(answer.body).slice(0, 500)).to.equal(201);
      ids.push(...answer.body.items.map(({ id }) => id));
    }
    return ids;
  };
  const reached = async (id: string, status: string): Promise<ShownTask> => {
    for (;;) {
      const { body } = await client.get<ShownTask>(`/tasks/${id}`);
      if (body.status === status) return body;
      await delay(20);
    }
  };
  const historyOf = async (id: string): Promise<readonly HistoryItem[]> =>
    (await client.get<{ items: HistoryItem[] }>(`/tasks/${id}/events`)).body.items;
  const cancel = (id: string, body: object = {}) => client.post<ShownTask & Problem>(`/tasks/${id}/cancel`, body);
  const retry = (id: string, body: object = {}) => client.post<ShownTask & Problem>(`/tasks/${id}/retry`, body);
  const bulkDone = async (id: string): Promise<Bulk> => {
    for (;;) {
      // The api may be away at this moment: it is killed in one of the tests.
      const answer = await client.get<Bulk>(`/bulk/${id}`).catch(() => undefined);
      if (answer?.status === 200 && answer.body.state === 'done') return answer.body;
      await delay(50);
    }
  };
  const started = async (body: object): Promise<{ id: string; matched: number }> => {
    const answer = await client.post<{ id: string; matched: number }>('/tasks/bulk', body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(202);
    return answer.body;
  };

  const paused = new Set<string>();
  /** Pauses a type, and waits until no worker starts its tasks any more. */
  const pause = async (type: string, reason = 'a test'): Promise<void> => {
    paused.add(type);
    expect((await client.post(`/types/${type}/pause`, { reason })).status).to.equal(200);
    for (;;) {
      const { id } = await submitted({ type, payload: {} });
      await delay(300);
      if ((await client.get<ShownTask>(`/tasks/${id}`)).body.status !== 'queued') continue;
      expect((await cancel(id)).status).to.equal(202);
      return;
    }
  };
  const resume = async (type: string): Promise<void> => {
    paused.delete(type);
    expect((await client.post(`/types/${type}/resume`, { reason: 'it is over' })).status).to.equal(200);
  };
  afterEach(async () => {
    for (const type of paused) await resume(type);
  });

  for (const type of ['noop', 'noop_go']) {
    describe(type, () => {
      it('is cancelled while it waits for its time', async () => {
        const runAt = new Date(Date.now() + day).toISOString();
        const { id, status } = await submitted({ type, payload: {}, runAt });
        expect(status).to.equal('scheduled');
        const answer = await cancel(id, { reason: 'not needed' });
        expect([answer.status, answer.body.status]).to.deep.equal([202, 'cancelled']);
        const [scheduled, cancelled, ...more] = await historyOf(id);
        expect(more).to.deep.equal([]);
        expect([scheduled?.event, cancelled?.event]).to.deep.equal(['TaskScheduled', 'TaskCancelled']);
        expect(cancelled).to.include({ counted: true, actor: developer, reason: 'not needed' });
      });

      it('is cancelled in the queue, and never starts', async () => {
        await pause(type);
        const { id } = await submitted({ type, payload: {} });
        expect((await cancel(id)).status).to.equal(202);
        const behind = await submitted({ type, payload: {} });
        await resume(type);
        expect((await client.ended(behind.id)).status).to.equal('success');
        expect((await historyOf(id)).map(({ event }) => event)).to.deep.equal(['TaskQueued', 'TaskCancelled']);
      });

      it('is cancelled while it runs', async () => {
        const { id } = await submitted({ type, payload: { sleepMs: 600_000 }, timeoutMs: 600_000 });
        await reached(id, 'running');
        const answer = await cancel(id, { reason: 'too slow' });
        expect([answer.status, answer.body.status]).to.deep.equal([202, 'cancelled']);
        const again = await cancel(id);
        expect(again.status).to.equal(409);
        expect(again.body).to.include({ taskStatus: 'cancelled' });
        await verifyTasks(system().addresses, type, [id]);
      });

      it('is cancelled while it waits for a retry', async () => {
        const backoff = { baseMs: day, capMs: day };
        const { id } = await submitted({ type, payload: { fail: 'BROKEN' }, retry: { maxAttempts: 3, backoff } });
        await reached(id, 'retrying');
        expect((await cancel(id)).body.status).to.equal('cancelled');
        expect((await historyOf(id)).at(-1)).to.include({ event: 'TaskCancelled', counted: true });
      });

      it('is tried again with a backoff, and succeeds', async () => {
        const retrying = { maxAttempts: 5, backoff: { baseMs: 20, factor: 2, capMs: 100 } };
        const payload = { fail: 'FLAKY', failTimes: 2, echo: 'at last' };
        const { id } = await submitted({ type, payload, retry: retrying });
        const task = await client.ended(id);
        expect(task).to.include({ status: 'success', attempt: 3, retryCount: 2, error: null });
        expect((await client.get(`/tasks/${id}/result`)).body).to.equal('at last');
        const history = await historyOf(id);
        expect(history.flatMap(({ cause }) => cause ?? [])).to.deep.equal(['submit', 'retry', 'retry']);
        expect(history.filter(({ event }) => event === 'TaskStarted')).to.have.length(3);
      });

      it('fails when its attempts are used up, with all its errors in the history', async () => {
        const retrying = { maxAttempts: 3, backoff: { baseMs: 10, capMs: 20 } };
        const { id } = await submitted({ type, payload: { fail: 'ALWAYS' }, retry: retrying });
        const task = await client.ended(id);
        expect(task).to.include({ status: 'failed', attempt: 3, retryCount: 2 });
        expect(task.error?.code).to.equal('ALWAYS');
        const errors = (await historyOf(id)).filter(({ error }) => error !== undefined);
        expect(errors.map(({ event, attempt, error }) => [event, attempt, error?.code])).to.deep.equal([
          ['TaskRetryScheduled', 1, 'ALWAYS'],
          ['TaskRetryScheduled', 2, 'ALWAYS'],
          ['TaskFailed', 3, 'ALWAYS'],
        ]);
      });

      it('fails at once with an error that is not to be tried again', async () => {
        const { id } = await submitted({ type, payload: { fail: 'GONE' }, retry: { notRetryable: ['GONE'] } });
        expect(await client.ended(id)).to.include({ status: 'failed', attempt: 1, retryCount: 0 });
      });

      it('runs not before its runAt', async () => {
        const runAt = new Date(Date.now() + 2_000).toISOString();
        const { id } = await submitted({ type, payload: {}, runAt });
        const task = await client.ended(id);
        expect(task.status).to.equal('success');
        expect(Date.parse(task.startedAt ?? '')).to.be.at.least(Date.parse(runAt));
        const [first, second] = await historyOf(id);
        expect(first).to.include({ event: 'TaskScheduled' });
        expect(second).to.include({ event: 'TaskQueued', cause: 'schedule' });
      });

      it('expires in the queue', async () => {
        await pause(type);
        const expiresAt = new Date(Date.now() + 500).toISOString();
        const { id } = await submitted({ type, payload: {}, expiresAt });
        while (Date.now() < Date.parse(expiresAt)) await delay(50);
        // The worker judges by the broker's time: that of a record which comes after.
        await submitted({ type, payload: {} });
        await resume(type);
        const task = await client.ended(id);
        expect([task.status, task.error?.code]).to.deep.equal(['failed', 'EXPIRED']);
        expect((await historyOf(id)).map(({ event }) => event)).not.to.include('TaskStarted');
        expect((await retry(id)).status).to.equal(202);
        expect(await client.ended(id)).to.include({ status: 'success', generation: 1 });
      });

      it('is run again after a failure, from its first attempt', async () => {
        const retrying = { maxAttempts: 2, backoff: { baseMs: 1, capMs: 1 } };
        const { id } = await submitted({ type, payload: { fail: 'BROKEN' }, retry: retrying });
        await client.ended(id);
        const both = await Promise.all([retry(id, { reason: 'once more' }), retry(id)]);
        expect(both.map(({ status }) => status).sort()).to.deep.equal([202, 409]);
        for (;;) {
          const task = await client.ended(id);
          if (task.generation === 1) {
            expect(task).to.include({ status: 'failed', attempt: 2, retryCount: 1 });
            break;
          }
          await delay(20);
        }
        const redrives = (await historyOf(id)).filter(({ cause }) => cause === 'redrive');
        expect(redrives).to.have.length(1);
        expect(redrives[0]).to.include({ generation: 1, attempt: 1, actor: developer, counted: true });
        await verifyTasks(system().addresses, type, [id]);
      });

      it('waits while its type is paused, and shows that', async () => {
        const isPaused = async () =>
          (await client.get<{ items: { name: string; paused: boolean }[] }>('/types')).body.items.find(
            ({ name }) => name === type,
          )?.paused;
        await pause(type);
        expect(await isPaused()).to.equal(true);
        const ids = await submittedMany(20, { type, payload: {} });
        await resume(type);
        expect(await isPaused()).to.equal(false);
        for (const id of ids) expect((await client.ended(id)).status).to.equal('success');
      });
    });
  }

  it('a success is neither cancelled nor run again', async () => {
    const { id } = await submitted({ type: 'noop', payload: {} });
    await client.ended(id);
    for (const answer of [await cancel(id), await retry(id)]) {
      expect(answer.status).to.equal(409);
      expect(answer.body).to.include({ taskStatus: 'success' });
    }
  });

  it('cancels against successes: each task ends once, and the answer says how', async () => {
    const ids = await submittedMany(200, { type: 'noop', payload: {} });
    const answers = await Promise.all(ids.map(async (id) => ({ id, answer: await cancel(id) })));
    const report = await verifyTasks(system().addresses, 'noop', ids);
    for (const { id, answer } of answers) {
      const status = report.states.get(id)?.status;
      expect(answer.status === 202 ? 'cancelled' : 'success', id).to.equal(status);
    }
  });

  it('cancels tasks at the moment when they are due, or are tried again', async () => {
    const runAt = new Date(Date.now() + 1_000).toISOString();
    const retrying = { maxAttempts: 5, backoff: { baseMs: 300, factor: 1, capMs: 300 } };
    const ids = [
      ...(await submittedMany(100, { type: 'noop', payload: {}, runAt })),
      ...(await submittedMany(100, { type: 'noop', payload: { fail: 'FLAKY', failTimes: 4 }, retry: retrying })),
    ];
    const answers = await Promise.all(
      ids.map(async (id, n) => {
        await delay(n * 10);
        return { id, status: (await cancel(id)).status };
      }),
    );
    const report = await verifyTasks(system().addresses, 'noop', ids);
    for (const { id, status } of answers) {
      expect(report.states.get(id)?.status, id).to.equal(status === 202 ? 'cancelled' : 'success');
    }
  });

  it('cancels many at once, on through the death of the api', async () => {
    await pause('noop');
    const tag = `many-${randomUUID()}`;
    const ids = await submittedMany(5_000, { type: 'noop', payload: {}, tags: [tag] });
    const filter = { tag };
    const dry = await client.post<{ matched: number }>('/tasks/bulk', { action: 'cancel', filter, dryRun: true });
    expect([dry.status, dry.body]).to.deep.equal([200, { matched: 5_000 }]);
    const { id, matched } = await started({ action: 'cancel', filter, reason: 'a mistake' });
    expect(matched).to.equal(5_000);
    const api = (await system().processes()).find(({ name }) => name === 'api');
    process.kill(api!.pid, 'SIGKILL');
    expect(await bulkDone(id)).to.deep.equal({ state: 'done', matched: 5_000, done: 5_000, failed: 0 });
    await resume('noop');
    const { states, starts } = await verifyTasks(system().addresses, 'noop', ids);
    for (const each of ids) {
      expect(states.get(each)?.status).to.equal('cancelled');
      expect(starts.has(each)).to.equal(false);
    }
  });

  it('fires each retry once, with two orchestrators of which one is killed', async () => {
    const port = (await freePorts(1))[0];
    const second = startServiceProcess(new URL('../../orchestrator/src/main.ts', import.meta.url), {
      ...system().environment,
      TASKFLOW_STATUS_PORT: String(port),
    });
    try {
      await second.ready(200);
      const retrying = { maxAttempts: 4, backoff: { baseMs: 500, factor: 2, capMs: 1_500 } };
      const body = { type: 'noop', payload: { fail: 'FLAKY', failTimes: 3 }, retry: retrying };
      const ids = await submittedMany(300, body);
      await reached(ids.at(-1) as string, 'retrying');
      await second.kill();
      for (const id of ids) expect(await client.ended(id, 60_000)).to.include({ status: 'success', attempt: 4 });
      await verifyTasks(system().addresses, 'noop', ids);
      for (const id of ids) {
        const counted = (await historyOf(id)).filter((item) => item.event === 'TaskQueued' && item.counted);
        expect(counted.map(({ attempt }) => attempt)).to.deep.equal([1, 2, 3, 4]);
      }
    } finally {
      await second.kill();
    }
  });

  it('shows dead letters by code, and runs them again', async () => {
    const code = `DEAD_${randomUUID().slice(0, 8).toUpperCase()}`;
    const other = `${code}_TOO`;
    const ids = await submittedMany(30, { type: 'noop', payload: { fail: code }, retry: { maxAttempts: 1 } });
    const [spared] = await submittedMany(1, { type: 'noop', payload: { fail: other }, retry: { maxAttempts: 1 } });
    let last = '';
    for (const id of [...ids, spared as string]) {
      const { finishedAt, error } = await client.ended(id);
      if (error?.code === code && (finishedAt ?? '') > last) last = finishedAt ?? '';
    }
    const letters = async () =>
      (await client.get<{ items: DeadLetters[] }>('/dead-letters')).body.items.filter((item) => item.code === code);
    expect(await letters()).to.deep.equal([{ type: 'noop', code, count: 30, lastAt: last }]);
    const listed = await client.get<{ items: ShownTask[] }>(`/tasks?status=failed&errorCode=${code}`);
    expect(listed.body.items.map(({ id }) => id).sort()).to.deep.equal(ids.sort());

    await pause('noop');
    const { id, matched } = await started({ action: 'retry', filter: { type: 'noop', errorCode: code } });
    expect(matched).to.equal(30);
    expect(await bulkDone(id)).to.include({ done: 30, failed: 0 });
    await reached(ids.at(-1) as string, 'queued');
    while ((await letters()).length > 0) await delay(20);
    await resume('noop');
    const report = await verifyTasks(system().addresses, 'noop', [...ids, spared as string]);
    for (const each of ids) expect(report.states.get(each)).to.include({ status: 'failed', generation: 1 });
    expect(report.states.get(spared as string)).to.include({ generation: 0 });
    expect((await letters())[0]).to.include({ count: 30 });
  });

  it('shows what could not be decoded', async () => {
    const topic = eventsTopic('noop', 'low');
    const cluster = await connectCluster({ brokers: [system().addresses.brokers], clientId: 'poisoner' });
    const appender = createAppender(cluster);
    const [place] = await appender.append([{ topic, partition: 0, key: 'x', value: Buffer.from('no event') }]);
    await appender.close();
    await cluster.close();
    for (;;) {
      const { status, body } = await client.get<{ items: { offset: number; reason: string; valueBase64: string }[] }>(
        `/poison?topic=${topic}`,
      );
      expect(status).to.equal(200);
      const found = body.items.find(({ offset }) => offset === place?.offset);
      if (found !== undefined) {
        expect(Buffer.from(found.valueBase64, 'base64').toString()).to.equal('no event');
        expect(found.reason).not.to.equal('');
        return;
      }
      await delay(50);
    }
  });
});
