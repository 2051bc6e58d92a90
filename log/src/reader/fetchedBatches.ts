import type { LogRecord } from '../logRecord.ts';
import { readBatchHeader, verifyChecksum } from '../recordBatch/batchHeader.ts';
import { decodeRecordBatches } from '../recordBatch/decodeRecordBatches.ts';

/** What was fetched of a partition, with whole batches whose checksums are right. */
export interface FetchedBatches {
  /** The bytes of the whole batches. */
  readonly bytes: Buffer;
  /** The offset after the last whole batch, and its leader epoch; undefined where there is none. */
  readonly last: { readonly nextOffset: number; readonly leaderEpoch: number } | undefined;
  /** Why the batch behind them cannot be read. */
  readonly unreadable: unknown;
}

/** Passes over the batches of a fetch, without making objects of their records. */
export function checkBatches(data: Buffer): FetchedBatches {
  let at = 0;
  let last: FetchedBatches['last'];
  let unreadable: unknown;
  try {
    for (let header = readBatchHeader(data, at); header !== undefined; header = readBatchHeader(data, at)) {
      verifyChecksum(data, at, header);
      last = header;
      at = header.end;
    }
  } catch (error) {
    unreadable = error;
  }
  return { bytes: data.subarray(0, at), last, unreadable };
}

/** Records that were fetched, still in their bytes: a thousand of them that wait would be some thousand objects. */
export class FetchedRecords {
  readonly bytes: number;
  /** The offset after them. */
  readonly nextOffset: number;
  readonly #topic: string;
  readonly #partition: number;
  readonly #from: number;
  readonly #data: Buffer;

  /** `data`: whole batches whose checksums are right, with records from `from` to before `nextOffset`, maybe others before them. */
  constructor(place: { topic: string; partition: number }, from: number, nextOffset: number, data: Buffer) {
    const { topic, partition } = place;
    this.bytes = data.length;
    this.nextOffset = nextOffset;
    this.#topic = topic;
    this.#partition = partition;
    this.#from = from;
    this.#data = data;
  }

  /** Those from the offset on that was due. Throws `CorruptBatchError` or `UnsupportedCompressionError`. */
  read(): LogRecord[] {
    const [topic, partition, from] = [this.#topic, this.#partition, this.#from];
    const records: LogRecord[] = [];
    decodeRecordBatches(
      this.#data,
      (offset, key, value, appendedAt, leaderEpoch, headers) => {
        if (offset >= from) records.push({ topic, partition, offset, key, value, appendedAt, leaderEpoch, headers });
      },
      0,
      Number.POSITIVE_INFINITY,
      { verified: true },
    );
    return records;
  }
}
