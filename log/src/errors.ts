import type { AppendedPosition } from './appender.ts';
import { errorCode } from './wire/errorCodes.ts';

/** A broker answered with an error code. `name` is the protocol's name of it, for example `NOT_COORDINATOR`. */
export class KafkaError extends Error {
  readonly code: number;
  /** What was asked of what: `Produce to taskflow.control/0`. */
  readonly subject: string;
  /** The same request may succeed later, after a refresh of leaders or coordinator where that is the reason. */
  readonly retriable: boolean;
  /** What is known about leaders is out of date. */
  readonly staleMetadata: boolean;

  constructor(code: number, subject: string, detail?: string | null) {
    const known = errorCode(code);
    super(`${subject}: ${known.name} (${code}): ${detail || known.message}`);
    this.name = known.name;
    this.code = code;
    this.subject = subject;
    this.retriable = known.retriable;
    this.staleMetadata = known.staleMetadata;
  }
}

/** Throws `KafkaError` unless `code` is 0. */
export function throwIfError(code: number, subject: string, detail?: string | null): void {
  if (code !== 0) throw new KafkaError(code, subject, detail);
}

/** A connection could not be opened, ended, or gave no answer in time. What was asked on it may or may not have happened. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly broker: string;

  constructor(broker: string, message: string, options?: ErrorOptions) {
    super(`Kafka broker ${broker}: ${message}`, options);
    this.broker = broker;
  }
}

/** The broker refused the credentials (SASL). Trying again will not help. */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError';

  constructor(broker: string, message: string, options?: ErrorOptions) {
    super(`Kafka broker ${broker}: ${message}`, options);
  }
}

/** A response that does not follow the protocol. Its connection is closed: nothing after it can be trusted. */
export class MalformedResponseError extends Error {
  override readonly name = 'MalformedResponseError';
}

/** No broker took the request before its time was up. Records concerned may or may not be in the log. */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError';
}

/** The broker lacks what this package needs: share groups (KIP-932), or a version of a request. */
export class UnsupportedBrokerError extends Error {
  override readonly name = 'UnsupportedBrokerError';
}

/** The topic, or the partition of it, does not exist. */
export class UnknownTopicError extends Error {
  override readonly name = 'UnknownTopicError';
  readonly topic: string;

  constructor(topic: string, detail = 'the topic does not exist: create it first') {
    super(`Topic ${topic}: ${detail}`);
    this.topic = topic;
  }
}

/** A record can never fit: its batch would be larger than the topic's or the broker's limit. Nothing of it was sent. */
export class RecordTooLargeError extends Error {
  override readonly name = 'RecordTooLargeError';
  readonly topic: string;
  readonly size: number;
  readonly limit: number;

  constructor(topic: string, size: number, limit: number) {
    super(`A record of ${size} bytes for topic ${topic} is over its limit of ${limit} bytes (max.message.bytes)`);
    this.topic = topic;
    this.size = size;
    this.limit = limit;
  }
}

/** Of the records of one call some were appended, others not, or not all for the same reason. */
export class PartialAppendError extends Error {
  override readonly name = 'PartialAppendError';
  /** In the order of the records: where it lies, or why it does not (or is not known to). */
  readonly outcomes: readonly (AppendedPosition | Error)[];

  constructor(outcomes: readonly (AppendedPosition | Error)[], firstError: Error) {
    const failed = outcomes.filter((outcome) => outcome instanceof Error).length;
    super(`${failed} of ${outcomes.length} records were not appended: ${firstError.message}`, { cause: firstError });
    this.outcomes = outcomes;
  }
}

/** More is waiting for the broker than the appender may hold. Nothing of this call was sent; try again later. */
export class BackPressureError extends Error {
  override readonly name = 'BackPressureError';
}

/** The object was closed. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
}

/** Records that should be there are not: the log was trimmed (or truncated) below the position to read from. */
export class GapError extends Error {
  override readonly name = 'GapError';
  readonly topic: string;
  readonly partition: number;
  /** The offset that was wanted. */
  readonly wanted: number;
  /** The first offset that the log still has. */
  readonly start: number;
  /** The offset after the last one that can be read. */
  readonly end: number;

  constructor(topic: string, partition: number, wanted: number, start: number, end: number) {
    super(
      `${topic}/${partition}: offset ${wanted} is not in the log, which has ${start} to ${end - 1}: ` +
        (wanted < start ? `${start - wanted} records were trimmed unread` : 'the log is shorter than it was'),
    );
    this.topic = topic;
    this.partition = partition;
    this.wanted = wanted;
    this.start = start;
    this.end = end;
  }
}

/** A batch of the log cannot be read. Fetching it again helps if it was damaged on its way, not if it is in the log so. */
export class CorruptBatchError extends Error {
  override readonly name = 'CorruptBatchError';
  /** Offset of the first record of the batch. */
  readonly baseOffset: number;

  constructor(baseOffset: number, detail: string, options?: ErrorOptions) {
    super(`The record batch at offset ${baseOffset} cannot be read: ${detail}`, options);
    this.baseOffset = baseOffset;
  }
}

/** A batch is compressed in a way that this package cannot read. */
export class UnsupportedCompressionError extends Error {
  override readonly name = 'UnsupportedCompressionError';
  readonly compression: string;

  constructor(compression: string) {
    super(`Records compressed with ${compression} cannot be read: have their producer use none, gzip or zstd`);
    this.compression = compression;
  }
}

/** The schema registry does not answer, or not sensibly. Known schemas go on without it. */
export class RegistryUnavailableError extends Error {
  override readonly name = 'RegistryUnavailableError';
}

/** May the same thing be tried again, perhaps after finding leader or coordinator anew? */
export function isRetriable(error: unknown): boolean {
  if (error instanceof KafkaError) return error.retriable;
  return error instanceof ConnectionError || error instanceof MalformedResponseError;
}
