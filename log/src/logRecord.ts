/** A record of the log. Key and value may be views of the whole fetch that they came with: keeping one keeps it in memory. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** When the broker appended it, in milliseconds since 1970 (topics here have `LogAppendTime`). */
  readonly appendedAt: number;
  /** Epoch of the partition's leader that appended it. */
  readonly leaderEpoch: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
