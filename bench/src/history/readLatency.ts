import { Pool as HttpPool } from 'undici';
import { percentiles } from '../percentiles.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { TYPESCRIPT } from '../system/workerKinds.ts';
import type { Row } from '../table.ts';

const REQUESTS = 300;
const UNCOUNTED = 50;
const PAGES_DOWN = 20;

/** How long the api takes for one request at a time, in milliseconds: tasks by id, and pages of lists. */
export async function readLatency(system: BenchSystem): Promise<readonly Row[]> {
  const http = new HttpPool(system.apiUrl, { connections: 1 });
  const get = async (path: string): Promise<{ nextCursor?: string | null }> => {
    const { statusCode, body } = await http.request({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${system.key}` },
    });
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}: ${await body.text()}`);
    return (await body.json()) as { nextCursor?: string | null };
  };
  try {
    const ids = await someTasks(system, REQUESTS + UNCOUNTED);
    const list = `/tasks?limit=50&type=${TYPESCRIPT.type}`;
    const deep = await pageBelow(get, list);
    const paths: readonly (readonly [string, (index: number) => string])[] = [
      ['GET /tasks/{id}', (index) => `/tasks/${ids[index % ids.length]}`],
      ['GET /tasks, newest 50', () => '/tasks?limit=50'],
      ['GET /tasks?type, newest 50', () => list],
      [`GET /tasks?type, page ${PAGES_DOWN + 1}`, () => deep],
      ['GET /tasks?status=failed', () => '/tasks?limit=50&status=failed'],
      ['GET /tasks/counts', () => '/tasks/counts'],
    ];
    const rows: Row[] = [];
    for (const [request, pathOf] of paths) {
      const times: number[] = [];
      for (let index = 0; index < UNCOUNTED + REQUESTS; index++) {
        const begun = performance.now();
        await get(pathOf(index));
        if (index >= UNCOUNTED) times.push(performance.now() - begun);
      }
      rows.push({ request, ...percentiles(times) });
    }
    return rows;
  } finally {
    await http.close();
  }
}

/** Ids of tasks from all over the table. */
async function someTasks({ pool }: BenchSystem, count: number): Promise<string[]> {
  const { rows: counts } = await pool.query<{ tasks: string }>('select sum(count) as tasks from task_counts');
  const percent = Math.min(100, (200 * count) / Number(counts[0]?.tasks));
  const { rows } = await pool.query<{ id: string }>(
    `select id from tasks tablesample bernoulli (${percent}) where payload is not null order by random() limit $1`,
    [count],
  );
  return rows.map(({ id }) => id);
}

async function pageBelow(
  get: (path: string) => Promise<{ nextCursor?: string | null }>,
  list: string,
): Promise<string> {
  let path = list;
  for (let page = 0; page < PAGES_DOWN; page++) {
    const { nextCursor } = await get(path);
    if (typeof nextCursor !== 'string') break;
    path = `${list}&cursor=${encodeURIComponent(nextCursor)}`;
  }
  return path;
}
