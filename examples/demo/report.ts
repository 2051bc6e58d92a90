import type { Client } from './client.ts';
import type { Followed } from './follow.ts';
import { styled, terminal } from './terminal.ts';

interface Scraped {
  charset: string;
  language: string | null;
  title: string | null;
  headings: unknown[];
  linkCount: number;
  size: number;
  redirects: number;
  timings: { totalMs: number };
}

/** One line for each page that was read. */
export async function showResults(client: Client, followed: readonly Followed[]): Promise<void> {
  const pages = followed.filter(({ task }) => task.type === 'web_scrape' && task.status === 'success');
  terminal.print(
    styled('bold', 'What the pages are') + styled('dim', '   GET /tasks/{id}/result, from the Mongo view'),
  );
  const header = ['charset', 'language', 'headings', 'links', 'bytes', 'fetched in', 'title'];
  const rows = await Promise.all(
    pages.map(async ({ task }) => {
      const page = (await client.result(task.id)) as Scraped;
      const { charset, language, headings, linkCount, size, timings, title } = page;
      return [
        charset,
        language ?? '–',
        headings.length,
        linkCount,
        size.toLocaleString('en'),
        `${timings.totalMs} ms`,
        title ?? '–',
      ].map(String);
    }),
  );
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 || i === 1 ? cell.padEnd(widths[i]!) : i === 6 ? cell : cell.padStart(widths[i]!))).join('  ')}`;
  terminal.print(styled('dim', line(header)));
  for (const cells of rows) terminal.print(line(cells));
  terminal.print();
}

/** All that is known of one task: its document, the lines it logged, and its history on the log. */
export async function showOne(client: Client, { errand, task }: Followed): Promise<void> {
  const [document, events, lines] = await Promise.all([
    client.result(task.id),
    client.events(task.id),
    client.logs(task.id),
  ]);
  terminal.print(styled('bold', `One of them in full: ${errand.label}`) + styled('dim', `   ${task.id}`));
  terminal.print(JSON.stringify(document, null, 2).replace(/^/gm, '  '));
  terminal.print();
  terminal.print(styled('bold', 'Its history') + styled('dim', '   GET /tasks/{id}/events, where each lies in Kafka'));
  for (const { at, event, workerId, topic, partition, offset } of events) {
    terminal.print(
      `  ${at.slice(11, 23)}  ${event.padEnd(14)} ${`${topic}/${partition}@${offset}`.padEnd(44)} ${styled('dim', workerId ?? '')}`,
    );
  }
  terminal.print();
  terminal.print(styled('bold', 'Its log') + styled('dim', '   GET /tasks/{id}/logs'));
  for (const { at, level, message, fields } of lines) {
    terminal.print(
      `  ${at.slice(11, 23)}  ${level.padEnd(5)} ${message} ${styled('dim', fields === null ? '' : JSON.stringify(fields))}`,
    );
  }
  terminal.print();
}
