import type { Cluster } from '@taskflow/log/cluster';
import { GapError } from '@taskflow/log/errors';
import type { LogRecord } from '@taskflow/log/logRecord';
import { endOffsets, readRange, startOffsets } from '@taskflow/log/reader';
import type { Codec } from '@taskflow/schemas/codec';
import type { PoisonRecord } from '@taskflow/schemas/events';
import { poisonTopic } from '@taskflow/schemas/topics';
import type { Logger } from '@taskflow/service/logger';

export interface PoisonPage {
  readonly records: readonly PoisonRecord[];
  /** Before which offset the next page begins; null: there is none. */
  readonly before: number | null;
}

export interface PoisonLog {
  /** The newest first; of one topic where that is given. A page may be short, or empty, and yet not the last one. */
  page(request: {
    readonly topic: string | undefined;
    readonly before: number | undefined;
    readonly limit: number;
  }): Promise<PoisonPage>;
}

/** A record holds up to 64 KiB of what could not be read: so many are read at a time, and for one page. */
const READ_AT_ONCE = 100;
const READ_FOR_A_PAGE = 1_000;
const PATIENCE_MS = 3_000;

/** `taskflow.poison`, read backwards in pieces: nothing of it is kept here. */
export function poisonLog(cluster: Cluster, codec: Pick<Codec, 'decode'>, logger: Logger): PoisonLog {
  const offsetOf = async (question: Promise<ReadonlyMap<string, readonly number[]>>) =>
    (await question).get(poisonTopic)?.[0] ?? 0;

  async function read(from: number, to: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    const range = { topic: poisonTopic, partition: 0, from: { offset: from }, to: { offset: to } };
    try {
      for await (const some of readRange(cluster, { ...range, patienceMs: PATIENCE_MS })) records.push(...some);
    } catch (error) {
      // What was trimmed this moment is over, like all before it.
      if (!(error instanceof GapError)) throw error;
    }
    return records.reverse();
  }

  function decoded({ offset, value }: LogRecord): PoisonRecord | undefined {
    try {
      const record = value === null ? undefined : codec.decode(value);
      return record?.event === 'PoisonRecord' ? record : undefined;
    } catch (error) {
      logger.warn('A record of taskflow.poison cannot be read itself', { offset, error });
      return undefined;
    }
  }

  return {
    async page({ topic, before, limit }) {
      const [start, end] = await Promise.all([
        offsetOf(startOffsets(cluster, [poisonTopic])),
        offsetOf(endOffsets(cluster, [poisonTopic])),
      ]);
      const found: PoisonRecord[] = [];
      let next = Math.min(before ?? end, end);
      for (let seen = 0; next > start && seen < READ_FOR_A_PAGE; seen += READ_AT_ONCE) {
        const from = Math.max(start, next - READ_AT_ONCE);
        for (const record of await read(from, next)) {
          const poison = decoded(record);
          if (poison === undefined || (topic !== undefined && poison.topic !== topic)) continue;
          found.push(poison);
          if (found.length === limit) return { records: found, before: record.offset > start ? record.offset : null };
        }
        next = from;
      }
      return { records: found, before: next > start ? next : null };
    },
  };
}
