import type { BrokerConnection, Cluster } from '../cluster.ts';
import { ClosedError, ConnectionError } from '../errors.ts';
import type { Request, Response } from '../wire/request.ts';

/** The connection of a share session to its broker, opened anew when it is wanted after it was lost. */
export class SessionConnection {
  readonly #cluster: Cluster;
  readonly #brokerId: number;
  readonly #answerTimeoutMs: number;
  readonly #onLost: (reason: Error) => void;
  #connection: BrokerConnection | undefined;
  #closed = false;

  /** `answerTimeoutMs` is for an answer, beside the time that a long poll takes: an overdue one ends the connection. */
  constructor(cluster: Cluster, brokerId: number, answerTimeoutMs: number, onLost: (reason: Error) => void) {
    this.#cluster = cluster;
    this.#brokerId = brokerId;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#onLost = onLost;
  }

  async open(): Promise<void> {
    if (this.#connection) return;
    const connection = await this.#cluster.openConnection(this.#brokerId);
    if (this.#closed) connection.close();
    this.#connection = connection;
    void connection.whenClosed.then((reason) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#onLost(reason);
    });
  }

  async send<T extends Response>(request: Request<T>): Promise<T> {
    const connection = this.#connection;
    if (!connection) throw new ConnectionError(`with id ${this.#brokerId}`, 'the connection was closed');
    return connection.send(request, this.#answerTimeoutMs);
  }

  /** Waits while the broker takes nothing (throttle time); rejects with the reason if the connection ends meanwhile. */
  async unthrottled(): Promise<void> {
    await this.#connection?.unthrottled();
  }

  /** Ends the present connection; the next `open` makes a new one. */
  drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close(new ClosedError('The consumer was closed'));
  }
}
