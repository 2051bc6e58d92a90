import { setTimeout as delay, setImmediate as nextTick } from 'node:timers/promises';
import { eagerBackoffMs } from '../backoff.ts';
import type { BrokerConnection, Cluster } from '../cluster.ts';
import { MalformedResponseError } from '../errors.ts';
import { type PartitionProduced, produce } from '../wire/messages/produce.ts';
import type { BatchLimits, PartitionLog, SealedBatch } from './partitionLog.ts';
import type { ProducerIds } from './producerIds.ts';

/** The broker answers within this time whatever its replicas do; the connection's own time-out is later. */
const replicationTimeoutMs = 5_000;
/** From the start of a request to that of the next one, for each of its records. */
const intervalMsPerRecord = 1;

/** What a pipeline needs of the appender. */
export interface PipelineHost {
  readonly cluster: Cluster;
  readonly producers: ProducerIds;
  readonly maxBatch: BatchLimits;
  readonly maxRequestBytes: number;
  /** So long at most a request waits, from the start of the one before, for more records to gather. */
  readonly maxRequestIntervalMs: number;
  /** Finds the way anew for a partition that has something to send. */
  dispatch(partition: PartitionLog): void;
  /** The broker has answered for one partition. */
  onAnswer(partition: PartitionLog, answer: PartitionProduced): void;
  /** Nothing is known of these partitions' batches; their leaders may have moved. */
  onLost(partitions: readonly PartitionLog[], error: unknown): void;
  onRequest(request: { durationMs: number; records: number; bytes: number }): void;
}

/**
 * The way to one broker: one connection, one request in flight, which carries a batch of each partition that has something
 * for this broker. What comes meanwhile goes into the next.
 */
export class BrokerPipeline {
  readonly #brokerId: number;
  readonly #host: PipelineHost;
  readonly #ready = new Set<PartitionLog>();
  #connection: BrokerConnection | undefined;
  #running = false;
  #failures = 0;
  /** The next request leaves no sooner, by `performance.now()`. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(brokerId: number, host: PipelineHost) {
    this.#brokerId = brokerId;
    this.#host = host;
  }

  /** This partition has something to send, and this broker leads it. */
  add(partition: PartitionLog): void {
    this.#ready.add(partition);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => void this.#run());
  }

  close(): void {
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    try {
      while (this.#ready.size > 0) {
        const waitMs = this.#notBefore - performance.now();
        if (waitMs > 0) await delay(Math.ceil(waitMs));
        await this.#exchange();
        // Whoever has just been answered gets the chance to append more to the next request.
        await nextTick();
      }
    } finally {
      this.#running = false;
    }
  }

  async #exchange(): Promise<void> {
    let sent: Map<PartitionLog, SealedBatch> | undefined;
    try {
      const producer = await this.#host.producers.current();
      const connection = await this.#connect();
      sent = this.#take(producer);
      if (sent.size === 0) return;
      const answers = await this.#send(connection, sent);
      this.#failures = 0;
      for (const partition of sent.keys()) partition.isBusy = false;
      for (const [partition, answer] of answers) this.#host.onAnswer(partition, answer);
    } catch (error) {
      await this.#lose([...(sent?.keys() ?? [])], error);
    }
  }

  /** One batch of each partition, as many as a request may hold; the others are first the next time. */
  #take(producer: Awaited<ReturnType<ProducerIds['current']>>): Map<PartitionLog, SealedBatch> {
    const { maxBatch, maxRequestBytes } = this.#host;
    const taken = new Map<PartitionLog, SealedBatch>();
    let bytes = 0;
    for (const partition of this.#ready) {
      if (bytes >= maxRequestBytes) break;
      this.#ready.delete(partition);
      const { limit } = partition.topic;
      if (limit === undefined) {
        this.#host.dispatch(partition);
        continue;
      }
      const batch = partition.nextBatch(producer, limit, maxBatch);
      if (!batch) continue;
      partition.isBusy = true;
      taken.set(partition, batch);
      bytes += batch.bytes.length;
    }
    return taken;
  }

  async #send(
    connection: BrokerConnection,
    sent: ReadonlyMap<PartitionLog, SealedBatch>,
  ): Promise<[PartitionLog, PartitionProduced][]> {
    const batches = [...sent].map(([{ topic, partition }, { bytes }]) => ({
      topic: topic.name,
      partition,
      batch: bytes,
    }));
    let records = 0;
    let bytes = 0;
    for (const batch of sent.values()) {
      records += batch.calls.length;
      bytes += batch.bytes.length;
    }
    const startedAt = performance.now();
    this.#notBefore = startedAt + Math.min(this.#host.maxRequestIntervalMs, records * intervalMsPerRecord);
    const { partitions } = await connection.send(produce(batches, replicationTimeoutMs));
    this.#host.onRequest({ durationMs: performance.now() - startedAt, records, bytes });
    const answers = new Map(partitions.map((answer) => [`${answer.topic}/${answer.partition}`, answer]));
    return [...sent.keys()].map((partition) => {
      const answer = answers.get(`${partition.topic.name}/${partition.partition}`);
      if (answer) return [partition, answer];
      connection.close();
      throw new MalformedResponseError(
        `Kafka broker ${connection.broker} did not answer for ${partition.topic.name}/${partition.partition}`,
      );
    });
  }

  async #connect(): Promise<BrokerConnection> {
    if (!this.#connection || this.#connection.isClosed) {
      this.#connection = await this.#host.cluster.openConnection(this.#brokerId);
    }
    return this.#connection;
  }

  /** Pauses (not after a first failure), then hands back everything: what was sent, and what waits for this broker. */
  async #lose(sent: readonly PartitionLog[], error: unknown): Promise<void> {
    this.#failures++;
    this.#connection?.close();
    await delay(eagerBackoffMs(this.#failures));
    for (const partition of sent) partition.isBusy = false;
    const all = new Set([...sent, ...this.#ready]);
    this.#ready.clear();
    this.#host.onLost([...all], error);
  }
}
