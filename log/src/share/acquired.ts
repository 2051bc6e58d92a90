import type { OnRecord } from '../recordBatch/decodeRecordBatches.ts';
import { decodeRecordBatches } from '../recordBatch/decodeRecordBatches.ts';
import { type AcknowledgementRange, acknowledgementTypes } from './acknowledgements.ts';
import { AcquiredBatch } from './acquiredBatch.ts';
import { HeldRecord, type Hold } from './delivered.ts';
import type { AcquiredRange } from './messages/shareFetch.ts';

export interface Acquired {
  readonly records: HeldRecord[];
  /**
   * Acquired offsets without a record. Transaction markers and what compaction removed are gaps, which the broker must be
   * told of: it cannot move the group's start past them otherwise. What lay behind a batch that was cut off is released.
   */
  readonly vacant: AcknowledgementRange[];
  /** Why a batch cannot be read. What was acquired of it and behind it stays locked until its lock ends. */
  readonly unreadable?: unknown;
}

/** Picks the acquired records out of the batches of a fetch, which hold whole batches however few records were acquired. */
export function acquiredRecords(
  batches: Buffer,
  acquired: readonly AcquiredRange[],
  hold: Hold,
  lockedUntil: number,
): Acquired {
  const records: HeldRecord[] = [];
  const vacant: AcknowledgementRange[] = [];
  const { topic, partition } = hold;
  const ranges = [...acquired].sort((a, b) => a.first - b.first);
  let at = 0;
  let range = ranges[0];
  let due = range?.first ?? 0;
  let batch = range && batchOf(range);
  const nextRange = () => {
    range = ranges[++at];
    if (!range) return;
    due = range.first;
    batch = batchOf(range);
  };
  const passTo = (offset: number, type: AcknowledgementRange['type']) => {
    while (range && due < offset) {
      const last = Math.min(range.last, offset - 1);
      if (due <= last) vacant.push({ first: due, last, type });
      due = last + 1;
      if (due <= range.last) return;
      nextRange();
    }
  };
  const onRecord: OnRecord = (offset, key, value, appendedAt, leaderEpoch, headers) => {
    if (range && due < offset) passTo(offset, acknowledgementTypes.gap);
    if (!range || !batch || offset < due) return;
    records.push(
      new HeldRecord(
        topic,
        partition,
        offset,
        key,
        value,
        appendedAt,
        leaderEpoch,
        headers,
        hold,
        range.deliveryCount,
        lockedUntil,
        batch,
      ),
    );
    if (++due > range.last) nextRange();
  };
  let nextOffset: number | undefined;
  try {
    nextOffset = decodeRecordBatches(batches, onRecord, ranges[0]?.first, ranges.at(-1)?.last).nextOffset;
  } catch (unreadable) {
    return { records, vacant, unreadable };
  }
  if (nextOffset !== undefined) passTo(nextOffset, acknowledgementTypes.gap);
  passTo(Number.POSITIVE_INFINITY, acknowledgementTypes.release);
  return { records, vacant };
}

function batchOf({ first, last }: AcquiredRange): AcquiredBatch {
  return new AcquiredBatch(first, last);
}
