import { codes, errorCode } from '../wire/errorCodes.ts';

/** What the broker's answer for one batch calls for. */
export type Verdict =
  /** It is in the log, on all in-sync replicas. */
  | 'appended'
  /** The same batch again, with the same sequence, after a pause. */
  | 'again'
  /** The same, at the partition's leader, which must be found first. */
  | 'findLeader'
  /** The broker does not know the order of this producer (any more): the same records under a new producer id. */
  | 'newProducer'
  /** It is over the limit of topic or broker: read the limit anew, split it. */
  | 'tooLarge'
  /** Never in this form. */
  | 'refused';

const lostProducerState: ReadonlySet<number> = new Set([
  codes.OUT_OF_ORDER_SEQUENCE_NUMBER,
  // The batch is in the log, but so long ago that its offset is not known any more: cannot happen with one in flight.
  codes.DUPLICATE_SEQUENCE_NUMBER,
  codes.INVALID_PRODUCER_EPOCH,
  codes.UNKNOWN_PRODUCER_ID,
  codes.PRODUCER_FENCED,
]);

export function verdictOf(code: number): Verdict {
  if (code === codes.NONE) return 'appended';
  if (code === codes.MESSAGE_TOO_LARGE || code === codes.RECORD_LIST_TOO_LARGE) return 'tooLarge';
  if (lostProducerState.has(code)) return 'newProducer';
  const { retriable, staleMetadata } = errorCode(code);
  if (staleMetadata) return 'findLeader';
  return retriable ? 'again' : 'refused';
}
