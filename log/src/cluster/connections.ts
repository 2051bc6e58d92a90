import { ClosedError, ConnectionError } from '../errors.ts';
import { type BrokerAddress, BrokerConnection, type ConnectionSettings } from '../wire/connection.ts';

/** Opens connections, knows all that are open, and keeps one shared connection a key for short requests. */
export class Connections {
  readonly #settings: ConnectionSettings;
  readonly #open = new Set<BrokerConnection>();
  readonly #shared = new Map<string | number, Promise<BrokerConnection>>();
  #closed = false;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  async open(address: BrokerAddress): Promise<BrokerConnection> {
    this.#failIfClosed();
    const connection = await BrokerConnection.open(address, this.#settings);
    if (this.#closed) {
      connection.close(new ClosedError('The cluster was closed'));
      this.#failIfClosed();
    }
    this.#open.add(connection);
    void connection.whenClosed.then(() => this.#open.delete(connection));
    return connection;
  }

  /** The shared connection of `key`, opened by `open` when there is none. Concurrent callers share the attempt, too. */
  shared(key: string | number, open: () => Promise<BrokerConnection>): Promise<BrokerConnection> {
    const known = this.#shared.get(key);
    if (known) return known;
    const opening = open();
    this.#shared.set(key, opening);
    const forget = () => {
      if (this.#shared.get(key) === opening) this.#shared.delete(key);
    };
    opening.then((connection) => connection.whenClosed.then(forget), forget);
    return opening;
  }

  /** Tries one address after the other. */
  async openFirst(addresses: readonly BrokerAddress[]): Promise<BrokerConnection> {
    const reasons: string[] = [];
    for (const address of addresses) {
      try {
        return await this.open(address);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        reasons.push(error.message);
      }
    }
    throw new ConnectionError(
      addresses.map(({ host, port }) => `${host}:${port}`).join(', '),
      `none can be reached: ${reasons.join('; ')}`,
    );
  }

  close(): void {
    this.#closed = true;
    this.#shared.clear();
    for (const connection of [...this.#open]) connection.close(new ClosedError('The cluster was closed'));
  }

  #failIfClosed(): void {
    if (this.#closed) throw new ClosedError('The cluster was closed');
  }
}
