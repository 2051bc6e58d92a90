import type { TaskLogLine } from '@taskflow/schemas/events';
import { logsTopic } from '@taskflow/schemas/topics';
import type { Db } from 'mongodb';
import { insertDocuments } from '../documents/insertDocuments.ts';
import { storedJson } from '../documents/jsonDocument.ts';
import { preparedCollection } from '../documents/preparedCollection.ts';
import { projection } from '../projection.ts';

/** A line that task code has logged. */
export interface TaskLogDocument {
  /** `<taskId>.<generation>.<attempt>.<workerId>.<seq>` */
  readonly _id: string;
  readonly taskId: string;
  readonly userId: string;
  readonly type: string;
  readonly generation: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly seq: number;
  readonly at: Date;
  readonly level: string;
  readonly message: string;
  /** What was logged beside the message: a document; its JSON text where that cannot be one; null where there was nothing. */
  readonly fields: unknown;
  readonly expiresAt: Date;
}

export const TASK_LOGS = 'task_logs';

/** As long as the topic keeps them. */
const KEPT_MS = 7 * 86_400_000;

/** The Mongo view `task_logs`: one document a line. */
export function taskLogsView(db: Db) {
  const collection = preparedCollection<TaskLogDocument>(db, { name: TASK_LOGS, indexes: [{ taskId: 1 }] });
  return projection<TaskLogLine, TaskLogDocument[], void>({
    name: 'task_logs',
    version: 1,
    reads: () => [logsTopic],
    wants: (name) => name === 'TaskLogLine',
    select: (decoded) => (decoded.event === 'TaskLogLine' ? decoded : undefined),
    empty: () => [],
    fold: (documents, { event }) => documents.push(lineDocument(event)),
    prepare: (documents) => async () => insertDocuments(await collection(), documents),
  });
}

function lineDocument(line: TaskLogLine): TaskLogDocument {
  const fields = line.fields === null ? undefined : storedJson(line.fields);
  return {
    _id: [line.taskId, line.generation, line.attempt, line.workerId, line.seq].join('.'),
    taskId: line.taskId,
    userId: line.userId,
    type: line.type,
    generation: line.generation,
    attempt: line.attempt,
    workerId: line.workerId,
    seq: line.seq,
    at: new Date(line.occurredAt),
    level: line.level,
    message: line.message.replaceAll('\0', '\ufffd'),
    fields: fields?.json ?? fields?.value ?? null,
    expiresAt: new Date(line.occurredAt + KEPT_MS),
  };
}
