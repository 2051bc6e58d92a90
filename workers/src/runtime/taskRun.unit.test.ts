import type { TaskFailed, TaskLogLine, TaskSucceeded } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { type BlobTools, FileResult } from '../taskBlobs.ts';
import { TaskError } from '../taskError.ts';
import { fakeBlobs } from '../testing/fakeBlobs.ts';
import { queued } from '../testing/fakeLog.ts';
import { deferred, sampleTask, startTestWorker, type TestWorker } from '../testing/testWorker.ts';
import { MAX_LINES } from './taskLog.ts';

/** Task n of a test. */
const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const task = (n: number, payload: unknown = { n }, more: Parameters<typeof queued>[0] = {}) =>
  queued({ taskId: id(n), ...more, task: { payload: JSON.stringify(payload), maxAttempts: 1, ...more.task } });
const ended = (count: number) => (events: readonly { event: string }[]) =>
  events.filter(({ event }) => event === 'TaskSucceeded' || event === 'TaskFailed').length >= count;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a run', () => {
  let worker: TestWorker;
  const start = (...parameters: Parameters<typeof startTestWorker>) => {
    worker = startTestWorker(...parameters);
    return worker;
  };
  const outcome = () => worker.log.events.at(-1) as unknown as Omit<TaskSucceeded, 'event'> & Omit<TaskFailed, 'event'>;
  afterEach(() => worker.stop());

  describe('results in the blob store', () => {
    const run = async (blobs: BlobTools, handler: Parameters<typeof sampleTask>[0], timeoutMs = 30_000) => {
      start(sampleTask(handler), { blobs });
      worker.queues.normal.put(task(1, { n: 1 }, { task: { timeoutMs } }));
      await worker.log.until(ended(1));
      return outcome();
    };

    it('takes what is too large for an event there', async () => {
      const blobs = fakeBlobs();
      const value = 'ö'.repeat(32_768);
      const { result } = await run(blobs, () => value);
      expect(result).to.include({ storage: 's3', value: null, size: 65_538, contentType: 'application/json' });
      const stored = blobs.held.get(result.ref ?? '');
      expect(JSON.parse(String(stored?.bytes))).to.equal(value);
      expect(result.sha256).to.equal(stored?.blob.sha256);
    });

    it('leaves in the event what fits into it, to the byte', async () => {
      const { result } = await run(fakeBlobs(), () => 'ö'.repeat(32_767));
      expect(result).to.include({ storage: 'inline', size: 65_536 });
    });

    it('refuses what is too large even for the store', async () => {
      const { error } = await run(fakeBlobs({ maxBytes: 100_000 }), () => 'x'.repeat(100_000));
      expect(error).to.deep.include({ code: 'RESULT_TOO_LARGE', retryable: false });
    });

    it('has a file with its figures', async () => {
      const blobs = fakeBlobs();
      const { result } = await run(blobs, async (context) => {
        async function* pieces() {
          yield Buffer.from('one');
          yield Buffer.from('two');
        }
        return new FileResult(await context.blobs.store(pieces(), { contentType: 'text/plain' }), { pieces: 2 });
      });
      expect(result).to.include({ storage: 's3', value: '{"pieces":2}', size: 6, contentType: 'text/plain' });
      expect(String(blobs.held.get(result.ref ?? '')?.bytes)).to.equal('onetwo');
    });

    it('fails, to be tried again, where the store does not answer', async () => {
      const storeResult = () => Promise.reject(new TaskError('STORE_UNAVAILABLE', 'away', { retryable: true }));
      const { error } = await run({ ...fakeBlobs(), storeResult }, () => 'x'.repeat(70_000));
      expect(error).to.deep.include({ code: 'STORE_UNAVAILABLE', retryable: true });
    });

    it('has its time limit while it is stored, also of a handler that waited for nothing', async () => {
      const storing = deferred<never>();
      let signal: AbortSignal | undefined;
      const storeResult = (_: string, __: string, given: AbortSignal) => {
        signal = given;
        return storing.promise;
      };
      const { error } = await run({ ...fakeBlobs(), storeResult }, () => 'x'.repeat(70_000), 20);
      expect(error).to.include({ code: 'TIMEOUT' });
      expect(signal?.aborted).to.equal(true);
    });
  });

  describe('failures', () => {
    const cases: [name: string, run: Parameters<typeof sampleTask>[0], code: string, retryable: boolean][] = [
      [
        'a code that is none',
        () => {
          throw new TaskError('not a code', 'why');
        },
        'HANDLER_ERROR',
        true,
      ],
      [
        'a TaskError keeps its code',
        () => {
          throw new TaskError('OWN_CODE', 'why', { retryable: false, details: { a: 1 } });
        },
        'OWN_CODE',
        false,
      ],
      [
        'any other error',
        async () => {
          throw new RangeError('no');
        },
        'HANDLER_ERROR',
        true,
      ],
      [
        'what is no error',
        async () => {
          throw null;
        },
        'HANDLER_ERROR',
        true,
      ],
      [
        'what cannot even be described',
        () => {
          throw {
            toString() {
              throw new Error('no');
            },
          };
        },
        'HANDLER_ERROR',
        true,
      ],
      [
        'a result that is no JSON',
        () => {
          const a: Record<string, unknown> = {};
          a.a = a;
          return a;
        },
        'RESULT_INVALID',
        false,
      ],
      ['a result with a BigInt', () => 1n, 'RESULT_INVALID', false],
      ['a result that nests too deep', () => JSON.parse(`${'['.repeat(65)}${']'.repeat(65)}`), 'RESULT_INVALID', false],
    ];
    for (const [name, run, code, retryable] of cases) {
      it(`${name}: ${code}`, async () => {
        const { queues, log } = start(sampleTask(run));
        queues.normal.put(task(1));
        await log.until(ended(1));
        await turn();
        expect(outcome().error).to.include({ code, retryable });
        expect(outcome().failures).to.equal(1);
        expect(queues.normal.accepted).to.deep.equal([0]);
      });
    }

    it('a payload that the type refuses never reaches its handler', async () => {
      let called = false;
      const { queues, log } = start(
        sampleTask(() => {
          called = true;
        }),
      );
      queues.normal.put(task(1, { n: 'seven' }), queued({ task: { payload: 'no json' } }));
      await log.until(ended(2));
      expect(log.names.filter((name) => name !== 'TaskStarted')).to.deep.equal([
        'TaskFailed PAYLOAD_INVALID',
        'TaskFailed PAYLOAD_INVALID',
      ]);
      const failed = log.events.find((event) => event.event === 'TaskFailed') as TaskFailed;
      expect(failed.error.message).to.contain('n:');
      expect(called).to.equal(false);
    });

    it('keeps NUL and half surrogates off the log', async () => {
      const { queues, log } = start(
        sampleTask(({ payload }) => {
          if (payload.n === 1) return { 'k\0': 'a\0b\ud800' };
          throw new Error('bad \0 \udfff');
        }),
      );
      queues.normal.put(task(1), task(2));
      await log.until(ended(2));
      const succeeded = log.events.find((event) => event.event === 'TaskSucceeded') as TaskSucceeded;
      expect(JSON.parse(succeeded.result.value!)).to.deep.equal({ 'k\ufffd': 'a\ufffdb\ufffd' });
      expect((log.events.find((event) => event.event === 'TaskFailed') as TaskFailed).error.message).to.equal(
        'Error: bad \ufffd \ufffd',
      );
    });
  });

  describe('the time limit of an attempt', () => {
    it('aborts the handler and fails the task', async () => {
      const aborted = deferred<unknown>();
      const { queues, log } = start(
        sampleTask(
          ({ signal }) =>
            new Promise((_, reject) =>
              signal.addEventListener('abort', () => {
                aborted.resolve(signal.reason);
                reject(signal.reason);
              }),
            ),
        ),
      );
      queues.normal.put(task(1, {}, { task: { timeoutMs: 20 } }));
      await log.until(ended(1));
      expect(outcome().error).to.include({ code: 'TIMEOUT', retryable: true });
      expect(await aborted.promise).to.include({ code: 'TIMEOUT' });
    });

    it('gives up a handler that ignores it, frees its slot, drops its late result', async () => {
      const gate = deferred();
      const { queues, log, metrics } = start(
        sampleTask(async ({ payload }) => {
          if (payload.n === 1) await gate.promise;
          return payload.n;
        }),
        { slots: 1 },
      );
      queues.normal.put(task(1, { n: 1 }, { task: { timeoutMs: 20 } }), task(2));
      await log.until(ended(2));
      gate.resolve();
      await turn();
      await turn();
      expect(log.names).to.deep.equal(['TaskStarted', 'TaskFailed TIMEOUT', 'TaskStarted', 'TaskSucceeded']);
      expect((await metrics.render()).body).to.contain('taskflow_worker_late_results_total{type="sample"} 1');
    });
  });

  it('writes log lines of tasks, so many and no more', async () => {
    const { queues, log } = start(
      sampleTask(({ log }) => {
        log.info('first', { n: 1, bad: 'a\0' });
        log.warn(
          'circular',
          (() => {
            const a: Record<string, unknown> = {};
            a.a = a;
            return a;
          })(),
        );
        for (let n = 0; n < MAX_LINES + 5; n++) log.debug(`line ${n}`);
        return null;
      }),
    );
    queues.normal.put(task(1));
    await log.until((events) => events.filter(({ event }) => event === 'TaskLogLine').length > MAX_LINES);
    const lines = log.events.filter((event): event is TaskLogLine => event.event === 'TaskLogLine');
    expect(lines).to.have.length(MAX_LINES + 1);
    expect(lines[0]).to.include({
      taskId: id(1),
      seq: 0,
      level: 'info',
      message: 'first',
      fields: '{"n":1,"bad":"a\ufffd"}',
    });
    expect(lines[1]!.fields).to.equal('{"fields":"not serialisable"}');
    expect(lines.at(-1)!.message).to.contain('7 further lines were dropped');
    expect(new Set(lines.map(({ seq }) => seq)).size).to.equal(MAX_LINES + 1);
  });

  it('fails what starts after its expiry, judged by the broker’s clock', async () => {
    const { queues, log } = start(sampleTask(() => null));
    const appendedAt = 1_700_000_000_000; // what the fake queue stamps records with
    queues.normal.put(
      task(1, {}, { task: { expiresAt: appendedAt - 1 } }),
      task(2, {}, { task: { expiresAt: appendedAt + 60_000 } }),
    );
    await log.until(ended(2));
    expect(log.names).to.deep.equal(['TaskFailed EXPIRED', 'TaskStarted', 'TaskSucceeded']);
  });
});
