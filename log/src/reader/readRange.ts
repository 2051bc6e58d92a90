import { retrying } from '../backoff.ts';
import type { BrokerConnection, Cluster } from '../cluster.ts';
import { GapError, isRetriable, throwIfError } from '../errors.ts';
import type { LogRecord } from '../logRecord.ts';
import type { Range } from '../reader.ts';
import { fetch } from '../wire/messages/fetch.ts';
import { offsetAt } from '../wire/messages/listOffsets.ts';
import { offsetAtTime } from './offsets.ts';
import { Position } from './position.ts';

const mebibyte = 1024 * 1024;
const defaultPatienceMs = 60_000;
/** Records up to the end are there already; only a leader that has just changed may need a moment to give them. */
const maxWaitMs = 200;

/** Reads one partition from a position to an end, over a connection of its own; see `readRange`. */
export class RangeReader {
  readonly #cluster: Cluster;
  readonly #range: Range;
  #connection: BrokerConnection | undefined;
  #leaderEpoch = -1;

  constructor(cluster: Cluster, range: Range) {
    this.#cluster = cluster;
    this.#range = range;
  }

  async *read(): AsyncGenerator<LogRecord[], void, undefined> {
    const { position, start, end, logEnd } = await this.#begin();
    if (position.offset < start || position.offset > logEnd) {
      throw new GapError(position.topic, position.partition, position.offset, start, logEnd);
    }
    yield* this.#records(position, end);
  }

  /** Reads what there is of the range, and tells from where to where that was. */
  async scan(onRecords: (records: readonly LogRecord[]) => void): Promise<{ from: number; end: number }> {
    const { position, start, end, logEnd } = await this.#begin();
    const from = Math.min(Math.max(position.offset, start), logEnd);
    position.offset = from;
    for await (const records of this.#records(position, end)) onRecords(records);
    return { from, end: Math.max(from, end) };
  }

  async *#records(position: Position, end: number): AsyncGenerator<LogRecord[], void, undefined> {
    let next: Promise<LogRecord[]> | undefined;
    try {
      while (position.offset < end || next) {
        const records = await (next ?? this.#fetch(position, end));
        // The next records are on their way while the caller works on these.
        next = position.offset < end ? this.#fetch(position, end) : undefined;
        next?.catch(() => {});
        if (records.length > 0) yield records;
      }
    } finally {
      this.#connection?.close();
      await next?.catch(() => {});
    }
  }

  async #begin(): Promise<{ position: Position; start: number; end: number; logEnd: number }> {
    const { topic: name, partition, from, to = 'end', signal, patienceMs = defaultPatienceMs } = this.#range;
    const topic = await retrying(() => this.#cluster.topic(name), { forMs: patienceMs, ...(signal ? { signal } : {}) });
    const at = (time: number) => offsetAtTime(this.#cluster, name, partition, time);
    const [start, logEnd] = await Promise.all([at(offsetAt.start), at(offsetAt.end)]);
    // The first record of that time may have come since the end was asked for: then there is none in the range.
    const since = async (time: number) => Math.min(await at(time), logEnd);
    const offset = from === 'start' ? start : 'offset' in from ? from.offset : await since(from.time);
    const end = to === 'end' ? logEnd : Math.min(to.offset, logEnd);
    return { position: new Position(topic, partition, offset), start, end, logEnd };
  }

  #fetch(position: Position, end: number): Promise<LogRecord[]> {
    const { signal, patienceMs = defaultPatienceMs } = this.#range;
    return retrying(() => this.#fetchOnce(position, end), {
      forMs: patienceMs,
      ...(signal ? { signal } : {}),
      onRetry: async (error) => {
        this.#connection?.close();
        this.#cluster.logger.debug(`reading ${position.topic}/${position.partition} again`, { error: String(error) });
        await this.#cluster.refresh([position.topic]).catch((failure: unknown) => {
          if (!isRetriable(failure)) throw failure;
        });
      },
    });
  }

  async #fetchOnce(position: Position, end: number): Promise<LogRecord[]> {
    const { maxBytes = 4 * mebibyte } = this.#range;
    const connection = await this.#connect(position);
    const limits = { maxWaitMs, maxBytes, partitionMaxBytes: maxBytes };
    const { errorCode, partitions } = await connection.send(fetch([position.fetchPosition(this.#leaderEpoch)], limits));
    const subject = `Fetch of ${position.topic}/${position.partition}`;
    throwIfError(errorCode, subject);
    const [answer] = partitions;
    // an answer that is throttled is empty
    return answer ? position.take(this.#cluster, answer, end) : [];
  }

  async #connect({ topic, partition }: Position): Promise<BrokerConnection> {
    if (!this.#connection || this.#connection.isClosed) {
      const { brokerId, leaderEpoch } = await this.#cluster.leader(topic, partition);
      this.#leaderEpoch = leaderEpoch;
      this.#connection = await this.#cluster.openConnection(brokerId);
    }
    return this.#connection;
  }
}
