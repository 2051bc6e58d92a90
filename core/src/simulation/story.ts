import type { RecordedEvent } from '@taskflow/schemas/fold';
import type { Broker } from './broker.ts';
import { logsByTask } from './checker.ts';
import type { Process } from './process.ts';
import type { HandlerStart } from './world.ts';

/** What happened to a task, a line for each event, start and trouble, in order: to find out why a run broke a promise. */
export function storyOf(
  taskId: string,
  begun: number,
  broker: Broker,
  starts: readonly HandlerStart[],
  processes: readonly Process[],
): string[] {
  const lines: { at: number; text: string }[] = [];
  for (const recorded of logsByTask(broker).get(taskId) ?? [])
    lines.push({ at: recorded.appendedAt, text: describe(recorded) });
  for (const start of starts) {
    if (start.taskId !== taskId) continue;
    const run = `${start.generation}.${start.attempt} in ${start.process.name}`;
    lines.push({ at: start.at, text: `handler of ${run} starts` });
    if (start.endedAt !== undefined) lines.push({ at: start.endedAt, text: `handler of ${run} ends` });
  }
  for (const { name, troubles } of processes) {
    for (const { what, from, to } of troubles) lines.push({ at: from, text: `${name} ${what} for ${to - from} ms` });
  }
  for (const { at, up } of broker.outages) lines.push({ at, text: `broker ${up ? 'back' : 'down'}` });
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `${((at - begun) / 1000).toFixed(3).padStart(9)} ${text}`);
}

function describe({ event, partition, offset }: RecordedEvent): string {
  const more =
    event.event === 'TaskQueued'
      ? `${event.cause}${event.check ? ', check' : ''}`
      : event.event === 'TaskStarted'
        ? `delivery ${event.delivery}, starts ${event.starts}, record ${event.queueOffset}`
        : event.event === 'TaskHeartbeat'
          ? event.task && 'hands over'
          : 'error' in event
            ? event.error.code
            : '';
  return `${event.event} ${event.generation}.${event.attempt} ${event.workerId} (${more ?? ''}) at ${partition}/${offset}`;
}
