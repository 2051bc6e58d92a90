import { type Codec, createCodec } from '@taskflow/schemas/codec';
import { recordNames } from '@taskflow/schemas/registered';
import { retrying } from './backoff.ts';
import { RegistryUnavailableError } from './errors.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type RecordName, RegistryClient } from './registry/client.ts';

export interface RegistryOptions {
  /** With its path: `http://127.0.0.1:28081/apis/ccompat/v7`. */
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly logger?: Logger;
  /** How long to try while the registry does not answer. Default 60 s. */
  readonly startTimeoutMs?: number;
}

export interface Registry {
  /** Encodes and decodes with this version's schemas under the registry's ids. Never asks the registry itself. */
  readonly codec: Codec;
  /**
   * After `UnknownSchemaError`: fetches the schema (once, whoever asks) and teaches it to the codec. False where the registry
   * has no such schema, or none that can be used: the value is not decodable, for the next half minute at least. Rejects
   * with `RegistryUnavailableError` where that cannot be known now: wait, do not pass over the record.
   */
  learn(schemaId: number): Promise<boolean>;
}

/** An id that nobody has registered would otherwise be asked for with each record that bears it. */
const unknownForMs = 30_000;
/** Poison may bear any id; what is remembered of such ids stays small. */
const maxUnknown = 1_000;
const backoff = { baseMs: 200, capMs: 2_000 };

/**
 * Publishes all schemas of the contract, and gives the codec for their ids. While the registry is away it tries again, and
 * says so; after `startTimeoutMs` it rejects with `RegistryUnavailableError`. Once this has succeeded the registry may go.
 */
export async function connectRegistry(options: RegistryOptions): Promise<Registry> {
  const client = new RegistryClient({ logger: silentLogger, ...options });
  const codec = createCodec(await publishAll(client, options));
  const learning = new Map<number, Promise<boolean>>();
  const unknownUntil = new Map<number, number>();

  const isUnknown = (schemaId: number): false => {
    if (unknownUntil.size >= maxUnknown) unknownUntil.clear();
    unknownUntil.set(schemaId, Date.now() + unknownForMs);
    return false;
  };
  const learn = async (schemaId: number): Promise<boolean> => {
    const text = await client.schema(schemaId);
    if (text === undefined) return isUnknown(schemaId);
    try {
      codec.learn(schemaId, text);
      return true;
    } catch (error) {
      options.logger?.warn('a schema of the registry cannot be read here', { schemaId, error: String(error) });
      return isUnknown(schemaId);
    }
  };

  return {
    codec,
    learn(schemaId) {
      if ((unknownUntil.get(schemaId) ?? 0) > Date.now()) return Promise.resolve(false);
      let asking = learning.get(schemaId);
      if (!asking) {
        asking = learn(schemaId).finally(() => learning.delete(schemaId));
        learning.set(schemaId, asking);
      }
      return asking;
    },
  };
}

/** Publishes all schemas of the contract; gives their ids. `connectRegistry` does it, too. */
export function publishSchemas(options: RegistryOptions): Promise<ReadonlyMap<RecordName, number>> {
  return publishAll(new RegistryClient({ logger: silentLogger, ...options }), options);
}

async function publishAll(client: RegistryClient, options: RegistryOptions): Promise<ReadonlyMap<RecordName, number>> {
  const { logger = silentLogger, startTimeoutMs = 60_000 } = options;
  const ids = new Map<RecordName, number>();
  const publishMissing = async () => {
    for (const name of recordNames) {
      if (!ids.has(name)) ids.set(name, await client.publish(name));
    }
  };
  await retrying(publishMissing, {
    forMs: startTimeoutMs,
    backoff,
    when: (error) => error instanceof RegistryUnavailableError,
    onRetry: (error, attempt) => {
      if (attempt === 1 || attempt % 10 === 0) {
        logger.warn('the schema registry does not answer, trying again', { error: String(error) });
      }
    },
  });
  return ids;
}
