import {
  type Collection,
  type Document,
  MongoBulkWriteError,
  type OptionalUnlessRequiredId,
  type WriteError,
} from 'mongodb';
import { answered } from './answered.ts';

const DUPLICATE_KEY = 11_000;
/** Documents an insert: enough to be fast, few enough to stay far below a message's limits. */
const BATCH = 500;

/** Documents that the store will not take as they are, with its reasons. */
export class DocumentsRefusedError extends Error {
  override readonly name = 'DocumentsRefusedError';
  readonly ids: readonly unknown[];

  constructor(collection: string, ids: readonly unknown[], reason: string) {
    super(`${collection}: ${ids.length} documents were refused, ${ids[0]} because: ${reason}`);
    this.ids = ids;
  }
}

/**
 * Inserts documents; one that is there already, by its `_id`, is left as it is, so that repeating an insert changes nothing.
 * Only inserts, unordered: concurrent upserts can use up the pool of a MongoDB-wire server on PostgreSQL for good.
 */
export async function insertDocuments<D extends Document>(
  collection: Collection<D>,
  documents: readonly OptionalUnlessRequiredId<D>[],
): Promise<void> {
  for (let from = 0; from < documents.length; from += BATCH) {
    const batch = documents.slice(from, from + BATCH);
    try {
      await answered(collection.insertMany(batch, { ordered: false }));
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      refuseAllButDuplicates(error, collection.collectionName, batch);
    }
  }
}

function refuseAllButDuplicates(error: MongoBulkWriteError, collection: string, batch: readonly Document[]): void {
  const errors = [error.writeErrors].flat() as WriteError[];
  // An error that names no document is of the batch as a whole.
  if (errors.length === 0) throw error;
  const refused = errors.filter((each) => each.code !== DUPLICATE_KEY);
  if (refused.length === 0) return;
  const ids = refused.map((each) => batch[each.index]?._id);
  throw new DocumentsRefusedError(collection, ids, refused[0]?.errmsg ?? error.message);
}
