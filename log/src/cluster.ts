import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Kafka, SASLOptions } from 'kafkajs';
import { retrying } from './backoff.ts';
import { parseBrokerAddress } from './cluster/brokerAddress.ts';
import { coalesce } from './cluster/coalesce.ts';
import { Connections } from './cluster/connections.ts';
import { type KafkajsClient, kafkajsClient } from './cluster/kafkajsClient.ts';
import { requireShareGroups } from './cluster/requirements.ts';
import { TopicCache, type TopicMetadata } from './cluster/topicCache.ts';
import {
  BrokerUnavailableError,
  ConnectionError,
  isRetriable,
  KafkaError,
  throwIfError,
  UnknownTopicError,
} from './errors.ts';
import { type Logger, silentLogger } from './logger.ts';
import type { BrokerAddress, BrokerConnection } from './wire/connection.ts';
import { codes } from './wire/errorCodes.ts';
import { findCoordinator } from './wire/messages/findCoordinator.ts';
import { metadata } from './wire/messages/metadata.ts';
import type { Request, Response } from './wire/request.ts';

export type { PartitionMetadata, TopicMetadata } from './cluster/topicCache.ts';
export type { BrokerConnection } from './wire/connection.ts';

export interface ClusterOptions {
  /** Brokers to begin with, `host:port`; the others are learned from them. */
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string;
  readonly ssl?: TlsOptions | boolean;
  readonly sasl?: SASLOptions;
  readonly logger?: Logger;
  /** How long `connectCluster` keeps trying while no broker answers. Default 30 s. */
  readonly startTimeoutMs?: number;
  /** For one connection attempt. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** For an answer; then its connection is given up. Default 10 s. */
  readonly requestTimeoutMs?: number;
}

/** A broker by its id, the coordinator of a group, the controller, or whichever answers. */
export type BrokerTarget = number | 'any' | 'controller' | { readonly coordinatorOf: string };

export interface Leader {
  readonly topic: string;
  readonly partition: number;
  readonly brokerId: number;
  readonly leaderEpoch: number;
}

/**
 * Connects to the cluster: tries the brokers given, one after the other and again with growing pauses, until one answers or
 * `startTimeoutMs` is over (`BrokerUnavailableError`). A broker without share groups is refused (`UnsupportedBrokerError`).
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = new Cluster(options);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/**
 * What this process knows of the Kafka cluster (brokers, leaders, coordinators), and its way to them. Nothing here repeats
 * a failed request, `connectCluster` apart: errors for which that helps are those of `isRetriable`, and `retrying` does it.
 */
export class Cluster {
  readonly clientId: string;
  readonly logger: Logger;
  /** Of this cluster, for administration and consumer groups. */
  readonly kafkajs: Kafka;
  readonly #kafkajsClient: KafkajsClient;
  readonly #options: ClusterOptions;
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #connections: Connections;
  readonly #topics = new TopicCache();
  readonly #brokers = new Map<number, BrokerAddress>();
  readonly #coordinators = new Map<string, number>();
  readonly #topicErrors = new Map<string, number>();
  #controllerId = -1;

  constructor(options: ClusterOptions) {
    const { brokers, clientId, logger = silentLogger, sasl = null } = options;
    const ssl = options.ssl === true ? {} : options.ssl || null;
    this.#options = options;
    this.clientId = clientId;
    this.logger = logger;
    this.#bootstrap = brokers.map(parseBrokerAddress);
    this.#kafkajsClient = kafkajsClient({ brokers, clientId, ssl, sasl, logger });
    this.kafkajs = this.#kafkajsClient.kafkajs;
    this.#connections = new Connections({
      clientId,
      ssl,
      sasl,
      logger,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    });
  }

  /** Called by `connectCluster`. */
  async start(): Promise<void> {
    const { startTimeoutMs = 30_000 } = this.#options;
    try {
      await retrying(() => this.#refresh([]), {
        forMs: startTimeoutMs,
        onRetry: (error) => this.logger.warn('no Kafka broker answers yet, trying again', { error: String(error) }),
      });
    } catch (error) {
      if (!isRetriable(error)) throw error;
      throw new BrokerUnavailableError(
        `No Kafka broker answered within ${startTimeoutMs} ms. Is it running, and is the address right? ${(error as Error).message}`,
        { cause: error },
      );
    }
    const connection = await this.#sharedConnection('any');
    requireShareGroups(connection.broker, connection.versions);
  }

  /** The brokers known at present. */
  get brokerIds(): readonly number[] {
    return [...this.#brokers.keys()];
  }

  /** A topic, from memory or asked for now. `UnknownTopicError` when there is none. */
  async topic(name: string): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known) return known;
    await this.#refresh([name]);
    const asked = this.#topics.get(name);
    if (asked) return asked;
    const errorCode = this.#topicErrors.get(name) ?? codes.UNKNOWN_TOPIC_OR_PARTITION;
    if (errorCode === codes.UNKNOWN_TOPIC_OR_PARTITION) throw new UnknownTopicError(name);
    throw new KafkaError(errorCode, `Metadata of topic ${name}`);
  }

  /** A topic as far as it is known, without asking. */
  knownTopic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** A topic by its id in hexadecimal, as far as it is known. */
  knownTopicById(idHex: string): TopicMetadata | undefined {
    return this.#topics.byId(idHex);
  }

  /** Asks for these topics anew (what concurrent callers want is gathered into one request), and for the brokers. */
  refresh(topics: Iterable<string>): Promise<void> {
    return this.#refresh(topics);
  }

  /** The leader of a partition. LEADER_NOT_AVAILABLE while there is none. */
  async leader(topic: string, partition: number): Promise<Leader> {
    const known = (await this.topic(topic)).partitions[partition];
    if (!known) throw new UnknownTopicError(topic, `there is no partition ${partition}`);
    if (known.leader < 0) throw new KafkaError(codes.LEADER_NOT_AVAILABLE, `Leader of ${topic}/${partition}`);
    return { topic, partition, brokerId: known.leader, leaderEpoch: known.leaderEpoch };
  }

  /** The broker that coordinates a group, from memory or asked for now. */
  async coordinator(group: string): Promise<number> {
    const known = this.#coordinators.get(group);
    if (known !== undefined) return known;
    const { errorCode, errorMessage, brokerId } = await this.request('any', findCoordinator(group));
    throwIfError(errorCode, `Coordinator of group ${group}`, errorMessage);
    this.#coordinators.set(group, brokerId);
    return brokerId;
  }

  /** After NOT_COORDINATOR, or when it cannot be reached: it is asked for anew at the next use. */
  forgetCoordinator(group: string): void {
    this.#coordinators.delete(group);
  }

  /** A connection of the caller's own, who closes it. */
  async openConnection(target: BrokerTarget): Promise<BrokerConnection> {
    if (target === 'any') return this.#connections.openFirst(this.#anyAddress());
    return this.#connections.open(await this.#addressOf(await this.#brokerId(target)));
  }

  /** Sends a short request on a connection that is shared: never one that waits on purpose, the others would wait, too. */
  async request<T extends Response>(target: BrokerTarget, request: Request<T>): Promise<T> {
    return (await this.#sharedConnection(target)).send(request);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#connections.close();
    this.#kafkajsClient.close();
  }

  readonly #refresh = coalesce<string>(async (topics) => {
    const response = await this.request('any', metadata([...topics]));
    if (response.brokers.length === 0) throw new ConnectionError('cluster', 'no broker is registered yet');
    this.#brokers.clear();
    for (const { id, host, port } of response.brokers) this.#brokers.set(id, { host, port });
    this.#controllerId = response.controllerId;
    const errors = this.#topics.update(response);
    for (const topic of topics) {
      const error = errors.get(topic);
      if (error === undefined) this.#topicErrors.delete(topic);
      else this.#topicErrors.set(topic, error);
    }
  });

  async #sharedConnection(target: BrokerTarget): Promise<BrokerConnection> {
    const key = target === 'any' ? target : await this.#brokerId(target);
    return this.#connections.shared(key, () => this.openConnection(key));
  }

  async #brokerId(target: Exclude<BrokerTarget, 'any'>): Promise<number> {
    if (target === 'controller') return this.#controllerId;
    return typeof target === 'number' ? target : this.coordinator(target.coordinatorOf);
  }

  async #addressOf(brokerId: number): Promise<BrokerAddress> {
    if (!this.#brokers.has(brokerId)) await this.#refresh([]);
    const address = this.#brokers.get(brokerId);
    if (!address) throw new ConnectionError(`with id ${brokerId}`, 'the cluster does not list it at present');
    return address;
  }

  /** Those known, in random order, then those given at the start: the addresses of a whole cluster may have changed. */
  #anyAddress(): readonly BrokerAddress[] {
    const known = [...this.#brokers.values()];
    for (let i = known.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [known[i], known[j]] = [known[j]!, known[i]!];
    }
    const isKnown = (address: BrokerAddress) =>
      known.some(({ host, port }) => host === address.host && port === address.port);
    return [...known, ...this.#bootstrap.filter((address) => !isKnown(address))];
  }
}
