import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { AuthenticationError, ConnectionError, MalformedResponseError, UnsupportedBrokerError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { FrameSplitter } from './frames.ts';
import { InFlight } from './inFlight.ts';
import { KafkajsConnection } from './kafkajsConnection.ts';
import { type ApiVersionsResponse, apiVersions } from './messages/apiVersions.ts';
import { decodeResponse, encodeRequest, type Request, type Response } from './request.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionSettings {
  readonly clientId: string;
  readonly ssl: TlsOptions | null;
  readonly sasl: SASLOptions | null;
  /** For the socket with its TLS handshake, and once more for the first answer. */
  readonly connectTimeoutMs: number;
  /** For an answer, beside the time that the request itself allows the broker (`mayTakeMs`). */
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

/** A share fetch may carry 16 MiB and one record more; a size far beyond is not Kafka. */
const maxResponseBytes = 256 * 1024 * 1024;
const clientVersion = '0.1.0';

/**
 * One connection to one broker, authenticated and known to speak Kafka. Requests may be sent at once, answers come in
 * order; a broker works on one request of a connection at a time, so whatever waits on purpose (a long poll) needs its own.
 *
 * It never heals: an answer overdue, one that breaks the protocol, or a closed socket ends it, rejects all that was asked
 * on it with `ConnectionError` (what was asked may have happened), and a new one must be opened.
 */
export class BrokerConnection {
  /** `host:port`. */
  readonly broker: string;
  /** Resolves, never rejects, with the reason once the connection is over. */
  readonly whenClosed: Promise<Error>;
  readonly #kafkajs: KafkajsConnection;
  readonly #settings: ConnectionSettings;
  readonly #inFlight: InFlight;
  readonly #frames = new FrameSplitter(maxResponseBytes);
  #versions: ApiVersionsResponse | undefined;
  #throttledUntil = 0;
  #closedBy: Error | undefined;
  #announceClosed: (reason: Error) => void = () => {};
  readonly #ended = new AbortController();

  private constructor({ host, port }: BrokerAddress, settings: ConnectionSettings) {
    this.broker = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#settings = settings;
    this.whenClosed = new Promise((resolve) => {
      this.#announceClosed = resolve;
    });
    this.#kafkajs = new KafkajsConnection({ host, port, ...settings, onData: (data) => this.#receive(data) });
    this.#inFlight = new InFlight(
      settings.requestTimeoutMs,
      (name, ms) => this.close(new ConnectionError(this.broker, `${name} was not answered within ${ms} ms`)),
      (error) => this.close(new ConnectionError(this.broker, error.message, { cause: error })),
    );
    this.#kafkajs.requestQueue = this.#inFlight;
  }

  /** Connects, asks for the broker's versions, and authenticates where SASL is set. */
  static async open(address: BrokerAddress, settings: ConnectionSettings): Promise<BrokerConnection> {
    const connection = new BrokerConnection(address, settings);
    try {
      await connection.#connect();
      await connection.#authenticate();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#closedBy !== undefined;
  }

  /** What the broker said that it can do. */
  get versions(): ApiVersionsResponse {
    return this.#versions!;
  }

  /**
   * Sends one request and gives its answer. Waits first where the broker has asked for a pause (throttle time, KIP-219): the
   * time that the answer may take, `answerTimeoutMs` beside what the request itself allows, begins after that.
   */
  async send<T extends Response>(
    request: Request<T>,
    answerTimeoutMs: number = this.#settings.requestTimeoutMs,
  ): Promise<T> {
    this.#check(request);
    await this.unthrottled();
    if (this.#settings.sasl && !this.#kafkajs.isAuthenticated()) await this.#authenticate();
    return this.#exchange(request, answerTimeoutMs + (request.mayTakeMs ?? 0));
  }

  /** Waits until the broker takes requests; it rejects when the connection ends. */
  async unthrottled(): Promise<void> {
    for (let pause = this.#pause(); pause > 0; pause = this.#pause()) {
      await delay(pause, undefined, { signal: this.#ended.signal }).catch(() => {});
      if (this.#closedBy) throw this.#closedBy;
    }
  }

  #pause(): number {
    return Math.ceil(this.#throttledUntil - performance.now());
  }

  /** Ends the connection at once; what is still unanswered is rejected. Closing twice does nothing. */
  close(reason: Error = new ConnectionError(this.broker, 'the connection was closed')): void {
    if (this.#closedBy) return;
    this.#closedBy = reason;
    this.#kafkajs.socket?.destroy();
    this.#inFlight.failAll(reason);
    this.#ended.abort();
    this.#announceClosed(reason);
  }

  async #connect(): Promise<void> {
    const connected = this.#kafkajs.connect().catch((error: unknown) => {
      throw new ConnectionError(this.broker, messageOf(error), { cause: error });
    });
    this.#kafkajs.socket?.once('close', () =>
      this.close(new ConnectionError(this.broker, 'the connection was closed by the broker')),
    );
    await Promise.race([connected, this.whenClosed.then((reason) => Promise.reject(reason))]);
    this.#versions = await this.#exchange(apiVersions(clientVersion), this.#settings.connectTimeoutMs);
    this.#kafkajs.setVersions(
      Object.fromEntries(
        [...this.versions.apis].map(([key, { min, max }]) => [key, { minVersion: min, maxVersion: max }]),
      ),
    );
  }

  async #authenticate(): Promise<void> {
    if (!this.#settings.sasl) return;
    try {
      await this.#kafkajs.authenticate();
    } catch (error) {
      throw this.#closedBy ?? new AuthenticationError(this.broker, messageOf(error), { cause: error });
    }
  }

  async #exchange<T extends Response>(request: Request<T>, timeoutMs: number): Promise<T> {
    if (this.#closedBy) throw this.#closedBy;
    const socket = this.#kafkajs.socket!;
    const correlationId = this.#kafkajs.nextCorrelationId();
    const parts = encodeRequest(request, correlationId, this.#settings.clientId);
    const answered = this.#inFlight.add(correlationId, request.name, timeoutMs);
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
    const response = this.#decode(request, await answered);
    if (response.throttleTimeMs > 0) this.#throttle(request.name, response.throttleTimeMs);
    return response;
  }

  /** The broker reads nothing from this connection for so long, so what was sent already is answered the later. */
  #throttle(request: string, milliseconds: number): void {
    this.#settings.logger.debug('the broker throttles this client', { broker: this.broker, request, milliseconds });
    this.#throttledUntil = Math.max(this.#throttledUntil, performance.now() + milliseconds);
    this.#inFlight.postpone(milliseconds);
  }

  #decode<T extends Response>(request: Request<T>, payload: Buffer): T {
    try {
      return decodeResponse(request, payload);
    } catch (error) {
      const malformed = new MalformedResponseError(
        `Kafka broker ${this.broker}: the answer to ${request.name} v${request.apiVersion} cannot be read: ${messageOf(error)}`,
        { cause: error },
      );
      this.close(malformed);
      throw malformed;
    }
  }

  #receive(data: Buffer): void {
    if (this.#closedBy) return;
    try {
      this.#frames.push(data, (frame) => {
        const correlationId = frame.readInt32BE(0);
        if (this.#inFlight.answer(correlationId, frame.subarray(4))) return;
        throw new MalformedResponseError(`an answer came that nobody asked for (correlation id ${correlationId})`);
      });
    } catch (error) {
      this.close(new ConnectionError(this.broker, messageOf(error), { cause: error }));
    }
  }

  #check({ apiKey, apiVersion, name }: Request<Response>): void {
    if (this.#closedBy) throw this.#closedBy;
    const range = this.versions.apis.get(apiKey);
    if (range && range.min <= apiVersion && apiVersion <= range.max) return;
    throw new UnsupportedBrokerError(
      `Kafka broker ${this.broker} does not support ${name} version ${apiVersion} (${range ? `only ${range.min} to ${range.max}` : 'not at all'}): Kafka 4.2 or newer is needed`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
