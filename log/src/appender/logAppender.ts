import type { AppendedPosition, Appender, AppenderOptions, AppenderStats, AppendRecord } from '../appender.ts';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerUnavailableError, ClosedError, KafkaError, UnknownTopicError } from '../errors.ts';
import type { PartitionProduced } from '../wire/messages/produce.ts';
import { Admission } from './admission.ts';
import { AppendCall } from './appendCall.ts';
import { BrokerPipeline, type PipelineHost } from './brokerPipeline.ts';
import { BuilderPool } from './builderPool.ts';
import { Deadlines } from './deadlines.ts';
import { locateTopic } from './locateTopic.ts';
import type { BatchLimits, PartitionLog } from './partitionLog.ts';
import { ProducerIds } from './producerIds.ts';
import { readTopicLimit } from './topicLimit.ts';
import { TopicLog } from './topicLog.ts';
import { verdictOf } from './verdict.ts';

const mebibyte = 1024 * 1024;
/** Larger batches, where a topic takes them, would only add to the time of the one in flight. A single record may be larger. */
const maxBatchBytes = mebibyte;
const maxRequestBytes = 8 * mebibyte;
/** What a record takes in memory beside key and value, roughly. */
const recordOverhead = 64;

/** See `Appender`. Routes records to the pipelines of their leaders, and decides what each answer calls for. */
export class LogAppender implements Appender, PipelineHost {
  readonly cluster: Cluster;
  readonly producers: ProducerIds;
  readonly maxBatch: BatchLimits;
  readonly maxRequestBytes = maxRequestBytes;
  readonly maxRequestIntervalMs: number;
  readonly #deliveryTimeoutMs: number;
  readonly #observe: AppenderOptions['onRequest'];
  readonly #admission: Admission;
  readonly #deadlines: Deadlines;
  readonly #builders = new BuilderPool();
  readonly #topics = new Map<string, TopicLog>();
  readonly #pipelines = new Map<number, BrokerPipeline>();
  readonly #pending = new Set<AppendCall>();
  readonly #counts = { records: 0, bytes: 0, requests: 0, retries: 0, failed: 0 };
  #lastError: unknown;
  #isFailing = false;
  #closing = false;
  #onIdle: (() => void) | undefined;

  constructor(cluster: Cluster, options: AppenderOptions) {
    const { maxBytesInFlight = 32 * mebibyte, deliveryTimeoutMs = 30_000, onRequest } = options;
    this.maxRequestIntervalMs = options.maxRequestIntervalMs ?? 0;
    this.cluster = cluster;
    this.maxBatch = { bytes: maxBatchBytes, records: options.maxBatchRecords ?? Number.POSITIVE_INFINITY };
    this.#deliveryTimeoutMs = deliveryTimeoutMs;
    this.#observe = onRequest;
    this.producers = new ProducerIds(cluster, deliveryTimeoutMs);
    this.#admission = new Admission(maxBytesInFlight, maxBytesInFlight);
    this.#deadlines = new Deadlines((call) => call.abandon(this.#unavailable()));
  }

  get stats(): AppenderStats {
    const { bytesInFlight, bytesWaiting } = this.#admission;
    return { ...this.#counts, producerIds: this.producers.granted, bytesInFlight, bytesWaiting };
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendedPosition[]> {
    if (this.#closing) return Promise.reject(new ClosedError('The appender was closed'));
    if (records.length === 0) return Promise.resolve([]);
    let bytes: number;
    try {
      bytes = sizeOf(records);
      this.#admission.check(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
    const call = new AppendCall(records, bytes, Date.now() + this.#deliveryTimeoutMs, (ended) => this.#ended(ended));
    this.#pending.add(call);
    this.#deadlines.add(call);
    this.#admission.admit(call, () => this.#enqueue(call));
    return call.promise;
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    for (const pipeline of this.#pipelines.values()) pipeline.close();
  }

  onRequest(request: { durationMs: number; records: number; bytes: number }): void {
    this.#counts.requests++;
    try {
      this.#observe?.(request);
    } catch (error) {
      this.cluster.logger.error('the observer of appended requests failed', { error: String(error) });
    }
  }

  onAnswer(log: PartitionLog, answer: PartitionProduced): void {
    const verdict = verdictOf(answer.errorCode);
    if (verdict === 'appended') {
      this.#counts.records += log.batch!.calls.length;
      this.#counts.bytes += log.batch!.bytes.length;
      log.failures = 0;
      this.#recovered();
      log.appended(answer.baseOffset, answer.appendTime);
      if (log.hasWork) this.dispatch(log);
      return;
    }
    const error = new KafkaError(answer.errorCode, `Append to ${log.topic.name}/${log.partition}`, answer.errorMessage);
    if (verdict === 'refused') {
      this.#refuse(log, answer, error);
      return;
    }
    this.#retried(error, 1);
    log.failures++;
    if (verdict === 'newProducer') log.renumber();
    if (verdict === 'tooLarge') {
      log.topic.refusedSize(log.batch!.bytes.length);
      log.renumber();
    }
    this.#pause(log, () => {
      if (verdict === 'findLeader') this.#locate(log.topic, true);
      else this.dispatch(log);
    });
  }

  onLost(partitions: readonly PartitionLog[], error: unknown): void {
    this.#retried(error, partitions.length);
    for (const topic of new Set(partitions.map((partition) => partition.topic))) this.#locate(topic, true);
  }

  /** Hands a partition with work to the pipeline of its leader, which is looked for where it is not known. */
  dispatch(log: PartitionLog): void {
    const { topic } = log;
    if (log.isBusy || topic.isLocating) return;
    log.dropSettled();
    if (!log.hasWork) return;
    if (topic.isLimitOld) this.#rereadLimit(topic);
    const known = this.cluster.knownTopic(topic.name);
    const leader = known?.partitions[log.partition]?.leader ?? -1;
    if (topic.limit === undefined || leader < 0) this.#locate(topic, known !== undefined);
    else this.#pipeline(leader).add(log);
  }

  #enqueue(call: AppendCall): void {
    const { records } = call;
    let log: PartitionLog | undefined;
    for (let index = 0; index < records.length; index++) {
      const { topic, partition } = records[index]!;
      if (log?.partition !== partition || log.topic.name !== topic) {
        log = this.#topic(topic).partition(partition);
      }
      const wasIdle = !log.hasWork;
      log.queue.push(call, index);
      if (wasIdle) this.dispatch(log);
    }
  }

  #pause(log: PartitionLog, then: () => void): void {
    log.isBusy = true;
    setTimeout(() => {
      log.isBusy = false;
      then();
    }, backoffMs(log.failures));
  }

  /** The records that the broker names are at fault, or all if it names none. */
  #refuse(log: PartitionLog, { errorCode, recordErrors }: PartitionProduced, error: KafkaError): void {
    const named = new Map(recordErrors.map(({ index, message }) => [index, message]));
    log.refused((index) => {
      if (named.size === 0) return error;
      return named.has(index) ? new KafkaError(errorCode, error.subject, named.get(index)) : undefined;
    });
    if (log.hasWork) this.dispatch(log);
  }

  #locate(topic: TopicLog, mustRefresh: boolean): void {
    if (topic.isLocating) return;
    topic.isLocating = true;
    const search = {
      mustRefresh,
      isWanted: () => this.#pending.size > 0,
      onTrouble: (error: unknown) => this.#retried(error, 0),
    };
    void locateTopic(this.cluster, topic, search)
      .catch((error: Error) => {
        this.#topics.delete(topic.name);
        topic.failAll(error);
      })
      .finally(() => {
        topic.isLocating = false;
        this.#dispatchTopic(topic);
      });
  }

  /** Beside the work: a limit that was lowered shows by itself, one that was raised does not. */
  #rereadLimit(topic: TopicLog): void {
    topic.setLimit(topic.limit!);
    readTopicLimit(this.cluster, topic.name).then(
      (limit) => topic.setLimit(limit),
      (error) => this.cluster.logger.debug(`the limit of ${topic.name} was not read anew`, { error: String(error) }),
    );
  }

  #dispatchTopic(topic: TopicLog): void {
    const partitions = this.cluster.knownTopic(topic.name)?.partitions;
    for (const log of topic.withWork()) {
      if (partitions && !partitions[log.partition]) {
        log.failAll(new UnknownTopicError(topic.name, `there is no partition ${log.partition}`));
      } else this.dispatch(log);
    }
  }

  #topic(name: string): TopicLog {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = new TopicLog(name, this.#builders, (producer) => this.producers.retire(producer));
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #pipeline(brokerId: number): BrokerPipeline {
    let pipeline = this.#pipelines.get(brokerId);
    if (!pipeline) {
      pipeline = new BrokerPipeline(brokerId, this);
      this.#pipelines.set(brokerId, pipeline);
    }
    return pipeline;
  }

  #retried(error: unknown, batches: number): void {
    this.#counts.retries += batches;
    this.#lastError = error;
    const level = this.#isFailing ? 'debug' : 'warn';
    this.#isFailing = true;
    this.cluster.logger[level]('records were not acknowledged, trying again', { error: String(error), batches });
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.cluster.logger.info('records are acknowledged again');
  }

  #unavailable(): BrokerUnavailableError {
    return new BrokerUnavailableError(
      `Kafka did not acknowledge within ${this.#deliveryTimeoutMs} ms: the records may or may not be in the log. Last error: ${String(this.#lastError ?? 'none, the broker is slow or throttles this client')}`,
      { cause: this.#lastError },
    );
  }

  #ended(call: AppendCall): void {
    this.#pending.delete(call);
    this.#counts.failed += call.failedRecords;
    this.#admission.leave(call);
    this.#deadlines.drop(call);
    if (this.#pending.size === 0) this.#onIdle?.();
  }
}

function sizeOf(records: readonly AppendRecord[]): number {
  let bytes = records.length * recordOverhead;
  for (const { key, value } of records) {
    if (value !== null && !(value instanceof Uint8Array))
      throw new TypeError('The value of a record must be bytes or null');
    bytes += (key?.length ?? 0) + (value?.length ?? 0);
  }
  return bytes;
}
