import { isUuid } from '@taskflow/core/ids';
import type { TaskSucceeded } from '@taskflow/schemas/events';
import type { Db } from 'mongodb';
import { insertDocuments } from '../documents/insertDocuments.ts';
import { type StoredJson, storedJson } from '../documents/jsonDocument.ts';
import { preparedCollection } from '../documents/preparedCollection.ts';
import { projection } from '../projection.ts';
import { eventsTopics } from '../topics.ts';

/** A result. It counts only where its task's row names it as `result.ref`. */
export interface ResultDocument extends StoredJson {
  /** `<taskId>.<generation>.<attempt>.<workerId>` */
  readonly _id: string;
  readonly taskId: string;
  readonly userId: string;
  readonly type: string;
  readonly generation: number;
  readonly attempt: number;
  readonly contentType: string;
  /** Bytes of the JSON text, and its SHA-256. */
  readonly size: number;
  readonly sha256: string;
  readonly createdAt: Date;
  /** When it may be removed; null: never. */
  readonly expiresAt: Date | null;
}

export const RESULTS = 'results';

/** The Mongo view `results`: one document for each end that carries one. Insert-only, so that reading the log again changes nothing. */
export function resultsView(db: Db) {
  const collection = preparedCollection<ResultDocument>(db, { name: RESULTS, indexes: [{ taskId: 1 }] });
  return projection<TaskSucceeded, ResultDocument[], void>({
    name: 'results',
    version: 1,
    reads: (types) => eventsTopics(types.filter((type) => type.resultStorage !== 'inline')),
    wants: (name) => name === 'TaskSucceeded',
    select: (decoded) => (decoded.event === 'TaskSucceeded' && isForMongo(decoded) ? decoded : undefined),
    empty: () => [],
    fold: (documents, { event }) => documents.push(resultDocument(event)),
    prepare: (documents) => async () => insertDocuments(await collection(), documents),
  });
}

function isForMongo({ taskId, result }: TaskSucceeded): boolean {
  return result.storage === 'mongo' && result.ref !== null && result.value !== null && isUuid(taskId);
}

function resultDocument({ result, ...event }: TaskSucceeded): ResultDocument {
  return {
    _id: result.ref!,
    taskId: event.taskId,
    userId: event.userId,
    type: event.type,
    generation: event.generation,
    attempt: event.attempt,
    ...storedJson(result.value!),
    contentType: result.contentType,
    size: result.size,
    sha256: result.sha256,
    createdAt: new Date(event.occurredAt),
    expiresAt: result.ttlMs === null ? null : new Date(event.occurredAt + result.ttlMs),
  };
}
