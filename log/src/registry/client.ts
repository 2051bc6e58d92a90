import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { type recordNames, schemaText, subjectOf } from '@taskflow/schemas/registered';
import { RegistryUnavailableError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** Name of a record of the contract. */
export type RecordName = (typeof recordNames)[number];

export interface RegistryClientOptions {
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string } | undefined;
  readonly logger: Logger;
}

const requestTimeoutMs = 5_000;
const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
/** Answers that stay the same however often one asks. The library reports a failed connection as status 400. */
const finalStatuses: ReadonlySet<number | undefined> = new Set([401, 403, 404, 409, 422]);

/** The registry's REST interface as Confluent defined it; Apicurio has it at `/apis/ccompat/v7`. */
export class RegistryClient {
  readonly #url: string;
  readonly #auth: RegistryClientOptions['auth'];
  readonly #logger: Logger;
  readonly #library: SchemaRegistry;

  constructor({ url, auth, logger }: RegistryClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#auth = auth;
    this.#logger = logger;
    this.#library = new SchemaRegistry({
      host: this.#url,
      clientId: 'taskflow-hub',
      ...(auth ? { auth } : {}),
      // Repetition is the caller's, who knows for how long.
      retry: { retries: 0 },
      middlewares: [() => ({ request: (request) => Promise.resolve(request.enhance({ timeout: requestTimeoutMs })) })],
    });
  }

  /**
   * The id of a record's schema of this version of the contract, registered under its full name (RecordNameStrategy) where
   * it is not yet. A new version must be compatible with all before it, in both directions.
   */
  async publish(name: RecordName): Promise<number> {
    const subject = subjectOf(name);
    const schema = { type: SchemaType.AVRO as const, schema: schemaText(name) };
    try {
      return await this.#library.getRegistryIdBySchema(subject, schema);
    } catch (error) {
      if (!isNotFound(error)) throw this.#explained(error, `schema of ${name}`);
    }
    try {
      return (await this.#library.register(schema, { subject, compatibility })).id;
    } catch (error) {
      if (!isOtherCompatibility(error)) {
        // Of two processes that register it at once the slower one is refused, though it is there now.
        const registered = await this.#library.getRegistryIdBySchema(subject, schema).catch(() => undefined);
        if (registered !== undefined) return registered;
        throw this.#explained(error, `registration of ${name}`);
      }
    }
    await this.#setCompatibility(subject);
    const registered = this.#library.register(schema, { subject, compatibility });
    return (
      await registered.catch((error: unknown) => Promise.reject(this.#explained(error, `registration of ${name}`)))
    ).id;
  }

  /** The schema that the registry holds under an id, as JSON text; undefined if it holds none, or one that is not Avro. */
  async schema(id: number): Promise<string | undefined> {
    try {
      return JSON.stringify(await this.#library.getSchema(id));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (statusOf(error) === undefined) {
        this.#logger.warn('the registry holds a schema that cannot be used', { schemaId: id, error: String(error) });
        return undefined;
      }
      throw this.#explained(error, `schema ${id}`);
    }
  }

  /** A subject made by somebody else; the library only ever sets what it has registered first. */
  async #setCompatibility(subject: string): Promise<void> {
    const set = () => this.#putCompatibility(subject);
    let answer = await set();
    // Somebody else set it for the first time at the same moment; now it is there, and can be replaced.
    if (answer.status === 409) answer = await set();
    if (!answer.ok) {
      throw new Error(
        `Schema registry ${this.#url}: compatibility of ${subject} cannot be set: status ${answer.status}`,
      );
    }
    this.#logger.warn(`the compatibility of ${subject} was another one, and was set to ${compatibility}`);
  }

  async #putCompatibility(subject: string): Promise<Response> {
    return fetch(`${this.#url}/config/${encodeURIComponent(subject)}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json', ...this.#authorization() },
      body: JSON.stringify({ compatibility }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    }).catch((error: unknown) => Promise.reject(this.#explained(error, `compatibility of ${subject}`)));
  }

  #authorization(): Record<string, string> {
    if (!this.#auth) return {};
    const { username, password } = this.#auth;
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }

  #explained(error: unknown, what: string): Error {
    const message = `Schema registry ${this.#url}: ${what}: ${error instanceof Error ? error.message : String(error)}`;
    if (finalStatuses.has(statusOf(error))) return new Error(message, { cause: error });
    return new RegistryUnavailableError(message, { cause: error });
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
}

/** Where it looks a schema up, the library wraps the 404 in an error of its own that has no status. */
function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404 || (error instanceof Error && error.name === 'ConfluentSchemaRegistryError');
}

function isOtherCompatibility(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError';
}
