import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { verifyTasks } from './testing/logChecker.ts';
import type { Problem, ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

/** What must hold when something dies: nothing accepted is lost, nothing ends twice, the views catch up. */
describe('faults', function () {
  this.timeout(180_000);
  const { client, system } = theSystem();
  const acknowledged: string[] = [];

  const pidOf = async (name: string): Promise<number> => {
    const found = (await system().processes()).find((process) => process.name === name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found.pid;
  };

  /** Resolves when another process of that name runs and answers that it is ready. */
  const restarted = async (name: string, oldPid: number): Promise<void> => {
    for (;;) {
      const now = (await system().processes()).find((process) => process.name === name);
      if (now !== undefined && now.pid !== oldPid) return;
      await delay(50);
    }
  };

  /** Submits until it is accepted: 503 with Retry-After is the one answer that says to try again. */
  const submitted = async <Body>(path: string, body: object): Promise<Body> => {
    for (;;) {
      const answer = await client.post<Body>(path, body);
      if (answer.status === 201) return answer.body;
      expect(answer.status, JSON.stringify(answer.body).slice(0, 500)).to.equal(503);
      await delay(Number(answer.headers.get('retry-after')) * 1000);
    }
  };

  const submitBatch = async (count: number, payload: object = {}): Promise<void> => {
    const tasks = Array.from({ length: count }, () => ({ type: 'noop', payload }));
    const { items } = await submitted<{ items: ShownTask[] }>('/tasks/batch', { tasks });
    acknowledged.push(...items.map(({ id }) => id));
  };

  /** Keeps submitting, whatever is answered, until told to stop; gives the ids that were acknowledged. */
  const submitThroughout = (): { stop: () => Promise<{ accepted: number; refused: number }> } => {
    let stopping = false;
    const loop = async (): Promise<{ accepted: number; refused: number }> => {
      const counts = { accepted: 0, refused: 0 };
      while (!stopping) {
        try {
          const answer = await client.post<ShownTask & Problem>('/tasks', { type: 'noop', payload: { sleepMs: 2 } });
          if (answer.status === 201) {
            acknowledged.push(answer.body.id);
            counts.accepted++;
          } else {
            expect(answer.status).to.equal(503);
            expect(answer.headers.get('retry-after')).to.match(/^\d+$/);
            counts.refused++;
          }
        } catch (error) {
          if (!(error instanceof TypeError)) throw error; // fetch's: the api itself is away
          counts.refused++;
        }
        await delay(5);
      }
      return counts;
    };
    const running = loop();
    const stop = () => {
      stopping = true;
      return running;
    };
    loads.push(stop);
    return { stop };
  };
  const loads: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.all(loads.splice(0).map((stop) => stop())));

  /** The api accepts again. */
  const accepting = async (): Promise<void> => {
    for (;;) {
      const answer = await client.get('/readyz').catch(() => undefined);
      if (answer?.status === 200) return;
      await delay(50);
    }
  };

  const settle = () => verifyTasks(system().addresses, 'noop', acknowledged, 90_000);

  it('a worker that is killed while it runs tasks: another runs them', async () => {
    await submitBatch(400, { sleepMs: 300 });
    const pid = await pidOf('worker-1');
    process.kill(pid, 'SIGKILL');
    const report = await settle();
    const most = Math.max(...acknowledged.map((id) => report.starts.get(id) ?? 0));
    expect(most).to.be.at.most(2);
    await restarted('worker-1', pid);
  });

  it('the projector is killed: the view is what the log says', async () => {
    const load = submitThroughout();
    const pid = await pidOf('projector');
    await submitBatch(1000);
    process.kill(pid, 'SIGKILL');
    await submitBatch(1000);
    await restarted('projector', pid);
    await load.stop();
    await settle();
  });

  it('the api is killed: the same idempotency key gives one task', async () => {
    const body = { type: 'noop', payload: { echo: 'once' } };
    const headers = { 'idempotency-key': `killed-api-${Date.now()}` };
    const pid = await pidOf('api');
    const first = client.post<ShownTask>('/tasks', body, headers).catch(() => undefined);
    process.kill(pid, 'SIGKILL');
    const answered = await first;
    await restarted('api', pid);
    await accepting();
    const second = await client.post<ShownTask>('/tasks', body, headers);
    expect([200, 201]).to.include(second.status);
    if (answered?.status === 201) expect(second.body.id).to.equal(answered.body.id);
    const third = await client.post<ShownTask>('/tasks', body, headers);
    expect(third.status).to.equal(200);
    expect(third.body.id).to.equal(second.body.id);
    acknowledged.push(second.body.id);
    await settle();
  });

  it('the broker is killed under load and comes back: what was acknowledged is there', async () => {
    const load = submitThroughout();
    await submitBatch(500, { sleepMs: 50 });
    const pid = await pidOf('kafka');
    process.kill(pid, 'SIGKILL');
    await restarted('kafka', pid);
    await accepting();
    await submitBatch(100);
    const { accepted } = await load.stop();
    expect(accepted).to.be.greaterThan(0);
    await settle();
  });

  it('PostgreSQL is away: unkeyed submission works, the view catches up', async () => {
    const pid = await pidOf('postgres');
    process.kill(pid, 'SIGKILL');
    await submitBatch(200);
    await restarted('postgres', pid);
    await settle();
  });

  it('the MongoDB server is away: tasks end, the results come later', async () => {
    const pid = await pidOf('mongo');
    process.kill(pid, 'SIGKILL');
    const payload = { url: `${system().apiUrl}/healthz` };
    const { id } = await submitted<ShownTask>('/tasks', { type: 'http_request', payload });
    expect((await client.ended(id)).status).to.equal('success');
    await restarted('mongo', pid);
    for (;;) {
      const result = await client.get(`/tasks/${id}/result`);
      if (result.status === 200) break;
      expect(result.status).to.equal(503);
    }
  });

  it('Redis is away: waiting for an end still works', async () => {
    const pid = await pidOf('redis');
    process.kill(pid, 'SIGKILL');
    const answer = await client.post<ShownTask>('/tasks', { type: 'noop', payload: {} }, { prefer: 'wait=30' });
    expect(answer.body.status).to.equal('success');
    acknowledged.push(answer.body.id);
    await restarted('redis', pid);
  });
});
