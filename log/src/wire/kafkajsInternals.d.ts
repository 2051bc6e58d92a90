/**
 * The one internal of kafkajs that this package builds on, as it is in 2.2.4 (pinned in package.json): the connection,
 * for its socket set-up, TLS and SASL. `brokerConnection.ts` says what is replaced, and why.
 */
declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';
  import type { SASLOptions } from 'kafkajs';

  export type KafkajsLog = (message: string, fields?: Record<string, unknown>) => void;

  export interface KafkajsLogger {
    debug: KafkajsLog;
    info: KafkajsLog;
    warn: KafkajsLog;
    error: KafkajsLog;
    namespace(name: string): KafkajsLogger;
  }

  export interface KafkajsSocketArguments {
    host: string;
    port: number;
    ssl: ConnectionOptions | null;
    onConnect: () => void;
  }

  export interface KafkajsConnectionOptions {
    host: string;
    port: number;
    clientId: string;
    logger: KafkajsLogger;
    socketFactory: (socketArguments: KafkajsSocketArguments) => Socket;
    ssl: ConnectionOptions | null;
    sasl: SASLOptions | null;
    connectionTimeout: number;
    requestTimeout: number;
    reauthenticationThreshold?: number;
    enforceRequestTimeout?: boolean;
  }

  /** A request of kafkajs's own on its way (only SASL's are left): resolved with the bytes after the correlation id. */
  export interface KafkajsRequestEntry {
    apiKey: number;
    apiName: string;
    apiVersion: number;
    correlationId: number;
    resolve(response: { correlationId: number; entry: KafkajsRequestEntry; size: number; payload: Buffer }): void;
    reject(error: Error): void;
  }

  export interface KafkajsPushedRequest {
    entry: KafkajsRequestEntry;
    expectResponse: boolean;
    requestTimeout: number | null;
    sendRequest(): void;
  }

  /** What `Connection` calls on its request queue. */
  export interface KafkajsRequestQueue {
    push(request: KafkajsPushedRequest): void;
    maybeThrottle(milliseconds: number | null | undefined): void;
    rejectAll(error: Error): void;
    waitForPendingRequests(): Promise<void>;
    scheduleRequestTimeoutCheck(): void;
    destroy(): void;
  }

  export type KafkajsVersions = Record<number, { minVersion: number; maxVersion: number }>;

  export default class Connection {
    constructor(options: KafkajsConnectionOptions);
    requestQueue: KafkajsRequestQueue;
    socket: Socket | undefined;
    connect(): Promise<boolean>;
    disconnect(): Promise<boolean>;
    isConnected(): boolean;
    isAuthenticated(): boolean;
    authenticate(): Promise<void>;
    setVersions(versions: KafkajsVersions): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    nextCorrelationId(): number;
  }
}
