import { type Collection, type Db, type Document, type IndexSpecification, MongoServerError } from 'mongodb';
import { answered } from './answered.ts';

const NOT_IMPLEMENTED = 238;

export interface CollectionOptions {
  readonly name: string;
  /** Indexes beside that of `_id`. */
  readonly indexes: readonly IndexSpecification[];
}

/** Gives the collection once its indexes exist: made at the first use, so that a service starts without the store. */
export function preparedCollection<D extends Document>(
  db: Db,
  options: CollectionOptions,
): () => Promise<Collection<D>> {
  let prepared: Promise<Collection<D>> | undefined;
  return () => {
    prepared ??= prepare<D>(db, options).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
}

async function prepare<D extends Document>(db: Db, { name, indexes }: CollectionOptions): Promise<Collection<D>> {
  const collection = db.collection<D>(name);
  for (const index of indexes) await answered(collection.createIndex(index));
  try {
    await answered(collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 }));
  } catch (error) {
    // Where the server does not expire documents by itself, the sweep does.
    if (!(error instanceof MongoServerError && error.code === NOT_IMPLEMENTED)) throw error;
  }
  return collection;
}
