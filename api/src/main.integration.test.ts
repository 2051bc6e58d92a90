import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connectCluster } from '@taskflow/log/cluster';
import { ensureTopics, systemTopics } from '@taskflow/log/topics';
import { expect } from 'chai';

const KEY = 'key-of-the-process';

interface Started {
  readonly child: ChildProcess;
  readonly lines: readonly { level: string; message: string; [field: string]: unknown }[];
  readonly errors: () => string;
  /** The first line with this message. */
  said(message: RegExp): Promise<Record<string, unknown>>;
  readonly ended: Promise<number | null>;
}

function startMain(environment: Record<string, string>): Started {
  const flags = ['--conditions=taskflow-source', '--disable-warning=TimeoutNegativeWarning'];
  const child = spawn(process.execPath, [...flags, path.join(import.meta.dirname, 'main.ts')], {
    env: { ...process.env, TASKFLOW_API_PORT: '0', TASKFLOW_DEV_KEY: KEY, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: { level: string; message: string }[] = [];
  const waiting: { message: RegExp; found: (line: Record<string, unknown>) => void }[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    const line = JSON.parse(text) as { level: string; message: string };
    lines.push(line);
    for (const { message, found } of waiting) if (message.test(line.message)) found({ ...line });
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    lines,
    errors: () => errors,
    said: (message) => {
      const already = lines.find((line) => message.test(line.message));
      if (already !== undefined) return Promise.resolve({ ...already });
      return Promise.race([
        new Promise<Record<string, unknown>>((found) => waiting.push({ message, found })),
        ended.then((code) => {
          throw new Error(
            `the process ended with ${code} and never said ${message}: ${errors}${JSON.stringify(lines)}`,
          );
        }),
      ]);
    },
    ended,
  };
}

describe('the api as a process', () => {
  const running: ChildProcess[] = [];
  before(async () => {
    const brokers = (process.env.TASKFLOW_KAFKA_BROKERS ?? '').split(',');
    const cluster = await connectCluster({ brokers, clientId: 'api-test' });
    await ensureTopics(cluster, systemTopics());
    await cluster.close();
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  const start = (environment: Record<string, string> = {}) => {
    const started = startMain(environment);
    running.push(started.child);
    return started;
  };

  for (const [variable, value] of [
    ['TASKFLOW_API_PORT', '80800'],
    ['TASKFLOW_DEV_KEY', ''],
    ['TASKFLOW_DEV_KEY', 'short'],
    ['TASKFLOW_MAX_TASK_BYTES', '1 MB'],
    ['TASKFLOW_POSTGRES_URL', 'mysql://x'],
  ] as const) {
    it(`ends with one line on ${variable}=${value}`, async () => {
      const { ended, errors, lines } = start({ [variable]: value });
      expect(await ended).to.equal(1);
      expect(errors()).to.match(new RegExp(`^${variable} [^\\n]+\\n$`));
      expect(lines).to.deep.equal([]);
      if (variable === 'TASKFLOW_DEV_KEY' && value !== '') expect(errors()).not.to.include(value);
    });
  }

  it('listens, answers, and ends with code 0 on SIGTERM', async () => {
    const api = start({ TASKFLOW_EXPECT_TYPES: 'a_type_that_nobody_has' });
    const { address } = (await api.said(/listens/)) as { address: string };
    expect((await fetch(`${address}/healthz`)).status).to.equal(200);
    const ready = await fetch(`${address}/readyz`);
    expect(ready.status).to.equal(503);
    expect(JSON.stringify(await ready.json())).to.include('a_type_that_nobody_has');
    const types = await fetch(`${address}/types`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(types.status).to.equal(200);
    const docs = await (await fetch(`${address}/docs`)).text();
    expect(docs).to.match(/<title>[^<]+<\/title>/);
    api.child.kill('SIGTERM');
    expect(await api.ended).to.equal(0);
    expect(api.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    expect(JSON.stringify(api.lines)).not.to.include(KEY);
  });

  it('starts without any store, and says so', async () => {
    const nowhere = '127.0.0.1:1';
    const api = start({
      TASKFLOW_POSTGRES_URL: `postgres://taskflow:taskflow@${nowhere}/taskflow`,
      TASKFLOW_MONGO_URL: `mongodb://${nowhere}/taskflow`,
      TASKFLOW_REDIS_URL: `redis://${nowhere}`,
    });
    const { address } = (await api.said(/listens/)) as { address: string };
    const { checks } = (await (await fetch(`${address}/readyz`)).json()) as {
      checks: Record<string, { state: string }>;
    };
    expect(Object.entries(checks).map(([name, { state }]) => [name, state])).to.include.deep.members([
      ['log', 'ok'],
      ['postgres', 'degraded'],
      ['mongo', 'degraded'],
      ['redis', 'degraded'],
    ]);
    api.child.kill('SIGTERM');
    expect(await api.ended).to.equal(0);
  });

  it('says that its port is taken, and ends with code 1', async () => {
    const first = start();
    const { address } = (await first.said(/listens/)) as { address: string };
    const second = start({ TASKFLOW_API_PORT: new URL(address).port });
    expect(await second.ended).to.equal(1);
    const said = JSON.stringify(second.lines.filter(({ level }) => level === 'error'));
    expect(said).to.include('is taken').and.to.include('TASKFLOW_API_PORT');
    first.child.kill('SIGTERM');
    expect(await first.ended).to.equal(0);
  });
});
