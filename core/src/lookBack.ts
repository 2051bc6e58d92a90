import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';
import type { Suspicion } from './suspicion.ts';

/** A record that is to be checked. Times are the broker's. */
export interface LookBackSubject {
  readonly appendedAt: number;
  /** `occurredAt` of the TaskQueued: a copy has that of the original, however late it is appended. */
  readonly occurredAt: number;
  readonly delivery: number;
}

export interface LookBackKnowledge {
  /** The broker's time now, or somewhat before. */
  readonly now: number;
  /**
   * Ascending times at which this worker asked the partition and was shown that the record was not to be had: by
   * an answer of a fetch that waited and stayed empty, or by one that brought a higher offset.
   */
  readonly unavailableAt: readonly number[];
  /** Append time of the last event that was written under the old leader; undefined where that is not known. */
  readonly lastEventOfOldLeader: number | undefined;
}

/**
 * From which append time on the events partition is to be read so that everything is found that decides what becomes of the
 * record. One scan serves many records: from the earliest of their times.
 *
 * - Nothing of an attempt lies before its record. A copy's twin may have been appended before, by as much as its
 *   event is old and `copyMarginMs` (clocks differ).
 * - Who holds a record without handing it over acquired it no longer ago than lock + hand-over: so where the record was not
 *   to be had at some time, its delivery of then began no earlier than that much before. This is applied once for each
 *   earlier delivery; whoever has asked all the time looks back lock + hand-over for each.
 * - What the broker forgot was held when the old leader went, and was started no longer than lock + hand-over before
 *   the last event that it could take.
 */
export function lookBackFrom(
  record: LookBackSubject,
  suspicion: Suspicion,
  known: LookBackKnowledge,
  values: Pick<ProtocolValues, 'lockMs' | 'handOverAfterMs' | 'copyMarginMs' | 'brokerClockSkewMs'> = protocolDefaults,
): number {
  const heldAtMost = values.lockMs + values.handOverAfterMs;
  let from = Number.POSITIVE_INFINITY;
  if (suspicion.copy) from = Math.min(record.appendedAt, record.occurredAt) - values.copyMarginMs;
  if (suspicion.forgotten) from = Math.min(from, sinceOldLeader(record, known, heldAtMost));
  if (suspicion.redelivered) from = Math.min(from, sinceFirstDelivery(record, known, heldAtMost));
  return from - values.brokerClockSkewMs;
}

function sinceOldLeader(record: LookBackSubject, known: LookBackKnowledge, heldAtMost: number): number {
  const { lastEventOfOldLeader } = known;
  if (lastEventOfOldLeader === undefined) return record.appendedAt;
  return Math.max(record.appendedAt, lastEventOfOldLeader - heldAtMost);
}

function sinceFirstDelivery(record: LookBackSubject, known: LookBackKnowledge, heldAtMost: number): number {
  let at = known.now;
  for (let earlier = record.delivery - 1; earlier > 0; earlier--) {
    const shown = latestUpTo(known.unavailableAt, at);
    if (shown === undefined || shown <= record.appendedAt) return record.appendedAt;
    at = shown - heldAtMost;
  }
  return Math.max(record.appendedAt, at);
}

function latestUpTo(times: readonly number[], limit: number): number | undefined {
  for (let i = times.length - 1; i >= 0; i--) if (times[i]! <= limit) return times[i];
  return undefined;
}
