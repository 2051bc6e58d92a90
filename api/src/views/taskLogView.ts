import type { Collection } from 'mongodb';
import { Problem } from '../http/problem.ts';
import { answerLimit } from './answerLimit.ts';
import { timeText } from './taskAnswer.ts';

/** A line that a task's own code wrote. */
export interface TaskLogAnswer {
  readonly at: string;
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
  readonly generation: number;
  readonly attempt: number;
  readonly workerId: string;
}

/** The Mongo view `task_logs`. */
export interface TaskLogView {
  /** The first lines of a task, in the order in which they were written. */
  first(taskId: string, limit: number): Promise<TaskLogAnswer[]>;
}

export interface TaskLogDocument {
  readonly _id: string;
  readonly taskId: string;
  readonly generation: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly seq: number;
  readonly at: Date | number;
  readonly level: string;
  readonly message: string;
  /** Their JSON text where they could not be a document. */
  readonly fields: unknown;
}

export function taskLogView(lines: Pick<Collection<TaskLogDocument>, 'find'>): TaskLogView {
  return {
    async first(taskId, limit) {
      try {
        const found = await lines
          .find({ taskId }, { signal: answerLimit() })
          .sort({ at: 1, attempt: 1, seq: 1 })
          .limit(limit)
          .toArray();
        return found.map((line) => ({
          at: timeText(Number(line.at)),
          level: line.level,
          message: line.message,
          fields: fieldsOf(line),
          generation: line.generation,
          attempt: line.attempt,
          workerId: line.workerId,
        }));
      } catch (error) {
        throw new Problem('store-unavailable', 'The store of log lines does not answer at present.', {
          retryAfter: 5,
          cause: error,
        });
      }
    },
  };
}

function fieldsOf({ fields }: TaskLogDocument): unknown {
  if (typeof fields !== 'string') return fields ?? null;
  try {
    return JSON.parse(fields) as unknown;
  } catch {
    return fields;
  }
}
