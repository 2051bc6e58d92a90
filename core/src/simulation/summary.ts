import type { Report } from './simulate.ts';

export interface Summary {
  readonly reports: Report[];
  readonly broken: Report[];
  readonly figures: Map<string, number>;
  /** Starts beyond what was necessary, by kind and cause. */
  readonly extra: Map<string, number>;
  readonly unexplained: string[];
  readonly counts: Map<string, number>;
  add(report: Report): void;
}

export function summaryOf(): Summary {
  const figures = new Map<string, number>();
  const extra = new Map<string, number>();
  const counts = new Map<string, number>();
  const reports: Report[] = [];
  const broken: Report[] = [];
  const unexplained: string[] = [];
  return {
    reports,
    broken,
    figures,
    extra,
    unexplained,
    counts,
    add(report) {
      reports.splice(0, 1, report);
      if (report.faults.length > 0) broken.push(report);
      add(figures, 'runs', 1);
      if (report.scenario.isHealthy) add(figures, 'runs without a fault', 1);
      add(figures, 'hours of simulated time', report.seconds / 3600);
      add(figures, 'attempts', report.attempts);
      add(figures, 'starts', report.starts);
      add(figures, 'records archived at the delivery limit', report.archived);
      add(figures, 'tasks given up as WORKER_LOST that kill no process', report.innocents.length);
      add(figures, 'failures of zombies that came to the log', report.zombieFailures);
      for (const [status, count] of report.statuses) add(figures, `tasks ended ${status}`, count);
      for (const { kind, because, start } of report.extra) {
        add(extra, `${kind}: ${because ?? 'unexplained'}`, 1);
        if (because === undefined)
          unexplained.push(
            `seed ${report.seed}: ${kind}, ${start.taskId} ${start.generation}.${start.attempt} in ${start.process.name}`,
          );
      }
      for (const [what, count] of report.counts) add(counts, what, count);
    },
  };
}

export function tableOf(summary: Summary): string {
  const sections = [
    section('Runs', summary.figures),
    section('Starts beyond the first, by what befell whoever had it', summary.extra),
    section('Decisions', summary.counts),
    ...(summary.unexplained.length > 0
      ? [
          `Unexplained\n${summary.unexplained
            .slice(0, 20)
            .map((line) => `  ${line}`)
            .join('\n')}`,
        ]
      : []),
    ...summary.broken.slice(0, 20).map(
      ({ seed, faults }) =>
        `Seed ${seed} is broken\n${faults
          .slice(0, 5)
          .map((fault) => `  ${fault}`)
          .join('\n')}`,
    ),
  ];
  return sections.join('\n\n');
}

/** The stories of all tasks of the last run that are named in what was found. */
export function storiesOf({ reports, broken, unexplained }: Summary): string[] {
  const named = new Set(
    [...broken.flatMap(({ faults }) => faults), ...unexplained].flatMap((line) => line.match(/01890000-\S+/g) ?? []),
  );
  const [report] = reports;
  if (!report) return [];
  return [...named].flatMap((taskId) => [`\n${taskId}`, ...report.story(taskId)]);
}

function section(title: string, figures: ReadonlyMap<string, number>): string {
  const lines = [...figures].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${title}\n${lines.map(([name, value]) => `  ${name.padEnd(60)} ${Math.round(value)}`).join('\n')}`;
}

function add(map: Map<string, number>, key: string, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
