import { uuidv7 } from '@taskflow/core/ids';
import { decideSubmit } from '@taskflow/core/submit';
import type { TaskQueued } from '@taskflow/schemas/events';
import { fieldPath } from '../http/fieldErrors.ts';
import { Problem } from '../http/problem.ts';
import type { TaskPlan } from './planTask.ts';

interface Context {
  readonly userId: string;
  readonly now: number;
  readonly maxTaskBytes: number;
  /** How many partitions the events topic of a type and priority has. */
  eventsPartitions(type: string, priority: string): number | Promise<number>;
  /** Where in the body the task at an index stands, for errors. */
  pathOf(index: number): readonly PropertyKey[];
}

/** The events of planned tasks, in their order, with new ids. */
export async function queuedTasks(plans: readonly TaskPlan[], context: Context): Promise<TaskQueued[]> {
  const events = new Array<TaskQueued>(plans.length);
  for (let i = 0; i < plans.length; i++) {
    const { submission, type } = plans[i] as TaskPlan;
    const known = context.eventsPartitions(submission.type, submission.priority ?? type.registered.priority);
    const event = decideSubmit(submission, {
      now: context.now,
      taskId: uuidv7(context.now),
      eventId: uuidv7(context.now),
      userId: context.userId,
      eventsPartitions: typeof known === 'number' ? known : await known,
      defaults: type.registered,
    });
    if (isLonger(event.task.payload, context.maxTaskBytes)) {
      throw tooLarge(context.maxTaskBytes, [...context.pathOf(i), 'payload']);
    }
    events[i] = event;
  }
  return events;
}

function tooLarge(maxBytes: number, at: readonly PropertyKey[]): Problem {
  return new Problem('body-too-large', `A task has at most ${maxBytes} bytes.`, {
    errors: [{ path: fieldPath(at), message: `has more than ${maxBytes} bytes as JSON` }],
    extensions: { maxBytes },
  });
}

/** Whether text has more UTF-8 bytes than the limit, without counting them where the characters already tell. */
function isLonger(text: string, limit: number): boolean {
  return text.length * 3 > limit && Buffer.byteLength(text) > limit;
}
