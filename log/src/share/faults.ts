import { ClosedError, KafkaError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';

export interface PartitionFault {
  /** The broker does not lead the partition (any more), or it is gone: no lock on it is left. */
  readonly lost: boolean;
  /** About how long to leave the partition out. */
  readonly pauseMs: number;
}

const moved = new Set<number>([codes.NOT_LEADER_OR_FOLLOWER, codes.FENCED_LEADER_EPOCH, codes.LEADER_NOT_AVAILABLE]);
const absent = new Set<number>([codes.UNKNOWN_TOPIC_OR_PARTITION, codes.UNKNOWN_TOPIC_ID, codes.INCONSISTENT_TOPIC_ID]);
const refused = new Set<number>([
  codes.TOPIC_AUTHORIZATION_FAILED,
  codes.GROUP_AUTHORIZATION_FAILED,
  codes.UNSUPPORTED_VERSION,
]);

/** What an error for one partition means. Whatever is not known by name may pass: it is tried again. */
export function partitionFault(code: number): PartitionFault {
  if (moved.has(code)) return { lost: true, pauseMs: 100 };
  if (absent.has(code)) return { lost: true, pauseMs: 400 };
  if (refused.has(code)) return { lost: false, pauseMs: 5_000 };
  return { lost: false, pauseMs: 400 };
}

const restBaseMs = 1_000;
/** A broker judges by the last eleven seconds, unless it is told otherwise (`quota.window.num`). */
const restCapMs = 10_000;

/**
 * How long to fetch nothing after so many fetches in a row whose answers were throttled. The broker's own time is not
 * enough: it is reckoned without the records of the next fetch.
 */
export function throttledRestMs(row: number, throttleTimeMs: number, random = Math.random): number {
  return throttleTimeMs + (0.5 + random() / 2) * Math.min(restCapMs, restBaseMs * 4 ** Math.min(row - 1, 10));
}

export interface SessionFault {
  /** The connection is sound. Closing it would make the broker end the session that is opened next (see `session.ts`). */
  readonly keepConnection: boolean;
  /** About how long to wait before the next attempt, beside the growing pause after repeated failures. */
  readonly pauseMs: number;
}

/** What an error for a whole session means. */
export function sessionFault(error: unknown): SessionFault {
  if (error instanceof ClosedError) return { keepConnection: false, pauseMs: 5_000 };
  if (!(error instanceof KafkaError)) return { keepConnection: false, pauseMs: 50 };
  switch (error.code) {
    case codes.SHARE_SESSION_NOT_FOUND:
    case codes.INVALID_SHARE_SESSION_EPOCH:
      return { keepConnection: true, pauseMs: 0 };
    case codes.SHARE_SESSION_LIMIT_REACHED:
      return { keepConnection: true, pauseMs: 1_000 };
    default:
      return { keepConnection: false, pauseMs: refused.has(error.code) ? 5_000 : 400 };
  }
}
