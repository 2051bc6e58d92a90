import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { verifyTasks } from './testing/logChecker.ts';
import { goProbe, typescriptProbe } from './testing/probePrograms.ts';
import { type HandlerStart, ProbeWorkers } from './testing/probeWorkers.ts';
import type { ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

/** Cancelling, pausing and retrying, as a user of the API sees it. */
for (const probe of [typescriptProbe, goProbe]) {
  describe(`signals to ${probe.language} workers, and retries`, function () {
    this.timeout(120_000);
    const { client, system } = theSystem();
    let probes: ProbeWorkers;
    before(async () => {
      probes = await ProbeWorkers.create(system(), { TASKFLOW_SLOTS: '2' }, probe);
      await probes.start('probe-1');
    });
    after(() => probes.stop());

    const submit = async (payload: object, more: object = {}): Promise<string> => {
      const answer = await client.post<ShownTask>('/tasks', { type: probes.type, payload, ...more });
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
      return answer.body.id;
    };
    const startsOf = async (id: string): Promise<HandlerStart[]> =>
      (await probes.starts()).filter(({ taskId }) => taskId === id);
    const started = async (id: string): Promise<void> => {
      while ((await startsOf(id)).length === 0) await delay(20);
    };

    it('a running task is cancelled: its handler is told, its slot is free', async () => {
      const running = [await submit({ sleepMs: 600_000 }), await submit({ sleepMs: 600_000 })];
      for (const id of running) await started(id);
      const waiting = await submit({});
      const queued = await submit({});
      expect((await client.post(`/tasks/${queued}/cancel`, { reason: 'not needed' })).status).to.equal(202);
      for (const id of running) expect((await client.post(`/tasks/${id}/cancel`, {})).status).to.equal(202);
      expect((await client.ended(waiting)).status).to.equal('success');
      const report = await verifyTasks(system().addresses, probes.type, [...running, waiting, queued]);
      for (const id of [...running, queued]) expect(report.states.get(id)!.status).to.equal('cancelled');
      expect(await startsOf(queued)).to.deep.equal([]);
    });

    it('a cancelled task that is redriven while its signal is still there runs', async () => {
      const id = await submit({ sleepMs: 600_000 });
      await started(id);
      expect((await client.post(`/tasks/${id}/cancel`, {})).status).to.equal(202);
      expect((await client.ended(id)).status).to.equal('cancelled');
      const redriven = await client.post(`/tasks/${id}/retry`, {});
      expect(redriven.status, JSON.stringify(redriven.body)).to.be.within(200, 202);
      while ((await startsOf(id)).length < 2) await delay(20);
      expect((await client.post(`/tasks/${id}/cancel`, {})).status).to.equal(202);
      await verifyTasks(system().addresses, probes.type, [id]);
    });

    it('a paused type is not started, and goes on when it is resumed', async () => {
      expect((await client.post(`/types/${probes.type}/pause`, {})).status).to.equal(200);
      // Another task's cancel comes behind the pause in the same topic: once that is done the worker knows of both.
      await delay(1_000);
      const id = await submit({});
      await delay(1_500);
      expect(await startsOf(id)).to.deep.equal([]);
      const resumedAt = Date.now();
      expect((await client.post(`/types/${probes.type}/resume`, {})).status).to.equal(200);
      expect((await client.ended(id)).status).to.equal('success');
      console.log(`      started ${(await startsOf(id))[0]!.at - resumedAt} ms after the type was resumed`);
    });

    it('a task that fails is tried again as often as it may, and then has failed', async () => {
      const backoff = { baseMs: 100, factor: 2, capMs: 1_000 };
      const [lucky, hopeless, once] = [
        await submit({ failTimes: 2 }, { retry: { maxAttempts: 3, backoff } }),
        await submit({ failTimes: 9 }, { retry: { maxAttempts: 3, backoff } }),
        await submit({ failTimes: 9 }, { retry: { maxAttempts: 3, backoff, notRetryable: ['AS_ASKED'] } }),
      ];
      expect(await client.ended(lucky)).to.include({ status: 'success', attempt: 3 });
      expect(await client.ended(hopeless)).to.include({ status: 'failed', attempt: 3 });
      expect(await client.ended(once)).to.include({ status: 'failed', attempt: 1 });
      await verifyTasks(system().addresses, probes.type, [lucky, hopeless, once]);
      expect(await startsOf(hopeless)).to.have.length(3);
    });
  });
}
