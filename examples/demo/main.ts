/**
 * `make demo`: scrapes pages as the web has them, follows each task live, prints results and history.
 *
 * It needs nothing but a build. It starts a system of its own (about 20 s), on ports and data of its own, because its pages
 * lie on loopback, which tasks may not fetch from: its system alone has that opened, for two ports. At the end, also by
 * Ctrl-C, it is stopped and removed.
 *
 *     make demo
 *     make demo DEMO_API=http://127.0.0.1:8080 DEMO_KEY=…     a system that runs; started with TASKFLOW_FETCH_ALLOW=127.0.0.1
 *
 * Exit code 0 if every task ended as it should.
 */
import { startSite } from '../../workers/tasks/web_scrape/fixtures/site.ts';
import { client } from './client.ts';
import { errands } from './errands.ts';
import { type Followed, follow } from './follow.ts';
import { showOne, showResults } from './report.ts';
import { type DemoSystem, startDemoSystem } from './system.ts';
import { styled, terminal } from './terminal.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`Interrupted by ${signal}`)));
}

async function demo(): Promise<boolean> {
  const site = await startSite();
  let system: DemoSystem | undefined;
  try {
    system = await running(site.port);
    const api = client(system.url, system.key);
    const planned = errands(site.origin, system.url);
    terminal.print(
      `\n${styled('bold', `${planned.length} tasks`)}${styled('dim', '   POST /tasks/batch, then GET /tasks/{id} until each has ended')}`,
    );
    const tasks = await api.submit(planned.map(({ type, payload }) => ({ type, payload })));
    const followed: Followed[] = planned.map((errand, i) => ({ errand, task: tasks[i]! }));
    await follow(api, followed, interrupted.signal);
    terminal.print();
    await showResults(api, followed);
    const shop = followed.find(({ errand, task }) => errand.label.startsWith('a shop') && task.status === 'success');
    if (shop) await showOne(api, shop);
    return verdict(followed);
  } finally {
    if (system) terminal.print(styled('dim', 'Stopping'));
    await system?.stop();
    await site.close();
  }
}

async function running(sitePort: number): Promise<DemoSystem> {
  const { DEMO_API, DEMO_KEY } = process.env;
  if (DEMO_API) {
    const answer = await fetch(`${DEMO_API}/readyz`).catch(() => undefined);
    if (!answer?.ok)
      throw new Error(`No system is ready at ${DEMO_API}: start one with TASKFLOW_FETCH_ALLOW=127.0.0.1 make start`);
    return { url: DEMO_API, key: DEMO_KEY ?? '', stop: async () => {} };
  }
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const parts: string[] = [];
  const show = () =>
    terminal.draw([
      `${styled('bold', 'Starting a system for the demo')} ${styled('dim', `${seconds()}   ${parts.join(' ')}`)}`,
    ]);
  if (!terminal.isLive) terminal.print('Starting a system for the demo (about 20 s)');
  const clock = setInterval(show, 200);
  try {
    const system = await startDemoSystem(sitePort, (part) => parts.push(part), interrupted.signal);
    show();
    terminal.keep();
    terminal.print(`Ready after ${seconds()}: ${system.url}`);
    return system;
  } finally {
    clearInterval(clock);
  }
}

function verdict(followed: readonly Followed[]): boolean {
  const wrong = followed.filter(({ errand, task }) => (errand.fails ?? undefined) !== (task.error?.code ?? undefined));
  const failures = followed.filter(({ errand }) => errand.fails !== undefined).length;
  if (wrong.length === 0) {
    terminal.print(
      styled(
        'green',
        `All as it should be: ${followed.length - failures} succeeded, ${failures} failed as they had to.`,
      ),
    );
    return true;
  }
  for (const { errand, task } of wrong) {
    const hint =
      task.error?.code === 'ADDRESS_NOT_ALLOWED' ? ' (start the system with TASKFLOW_FETCH_ALLOW=127.0.0.1)' : '';
    terminal.print(
      styled(
        'red',
        `${errand.label}: ${task.error?.code ?? task.status}, expected ${errand.fails ?? 'success'}${hint}`,
      ),
    );
  }
  return false;
}

demo().then(
  (asItShould) => {
    process.exitCode = asItShould ? 0 : 1;
  },
  (error: unknown) => {
    terminal.keep();
    terminal.print(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
