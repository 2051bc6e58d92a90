import type { Client, ShownTask } from './client.ts';
import type { Errand } from './errands.ts';
import { column, type Style, styled, terminal } from './terminal.ts';

export interface Followed {
  errand: Errand;
  task: ShownTask;
}

const ENDED = new Set(['success', 'failed', 'cancelled']);
const COLOURS: Readonly<Record<string, Style>> = { queued: 'dim', running: 'yellow', success: 'green', failed: 'red' };
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

/** Shows the tasks while they go from queued to their ends. */
export async function follow(client: Client, followed: Followed[], signal: AbortSignal): Promise<void> {
  for (let frame = 0; ; frame++) {
    signal.throwIfAborted();
    await Promise.all(
      followed.map(async (one) => {
        if (ENDED.has(one.task.status)) return;
        const before = one.task.status;
        one.task = await client.task(one.task.id);
        if (one.task.status !== before && !terminal.isLive)
          terminal.print(`  ${one.errand.label}: ${before} → ${describe(one)}`);
      }),
    );
    terminal.draw(followed.map((one) => row(one, frame)));
    if (followed.every(({ task }) => ENDED.has(task.status))) break;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  terminal.keep();
}

function row({ errand, task }: Followed, frame: number): string {
  const mark = { success: '✔', failed: '✖', queued: '·' }[task.status] ?? FRAMES[frame % FRAMES.length]!;
  const colour = COLOURS[task.status] ?? 'cyan';
  const left = `  ${styled(colour, `${mark} ${column(task.status, 8)}`)} ${column(errand.label, 30)} ${styled('dim', duration(task).padStart(8))}  `;
  return left + column(outcome(task), terminal.width - 54);
}

function describe({ task }: Followed): string {
  const what = outcome(task);
  return `${task.status}${ENDED.has(task.status) ? ` after ${duration(task)}` : ''}${what ? `: ${what}` : ''}`;
}

function outcome(task: ShownTask): string {
  if (task.error) return `${task.error.code}: ${task.error.message}`;
  return task.status === 'success' ? (task.result?.preview ?? '(no title)') : '';
}

function duration({ createdAt, finishedAt }: ShownTask): string {
  if (finishedAt === null) return '';
  return `${Math.max(0, Date.parse(finishedAt) - Date.parse(createdAt))} ms`;
}
