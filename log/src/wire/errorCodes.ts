import { errorTable } from './errorTable.ts';

/** An error code of the protocol. With `staleMetadata` leaders are to be asked for anew before it is tried again. */
export interface ErrorCode {
  readonly code: number;
  readonly name: string;
  readonly retriable: boolean;
  readonly staleMetadata: boolean;
  readonly message: string;
}

const byCode = new Map<number, ErrorCode>(
  errorTable.map(([code, name, kind, message]) => [
    code,
    { code, name, message, retriable: kind !== '', staleMetadata: kind === 'staleMetadata' },
  ]),
);

/** What a code means; one that this table does not know (a newer broker's) is not retriable. */
export function errorCode(code: number): ErrorCode {
  return (
    byCode.get(code) ?? {
      code,
      name: `ERROR_${code}`,
      retriable: false,
      staleMetadata: false,
      message: 'An error code that this client does not know.',
    }
  );
}

/** The codes that code here decides on, by name. */
export const codes = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  UNKNOWN_MEMBER_ID: 25,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_CONFIG: 40,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  CONCURRENT_TRANSACTIONS: 51,
  KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59,
  GROUP_ID_NOT_FOUND: 69,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  OFFSET_NOT_AVAILABLE: 78,
  GROUP_MAX_SIZE_REACHED: 81,
  INVALID_RECORD: 87,
  PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100,
  INCONSISTENT_TOPIC_ID: 103,
  FENCED_MEMBER_EPOCH: 110,
  UNSUPPORTED_ASSIGNOR: 112,
  STALE_MEMBER_EPOCH: 113,
  INVALID_RECORD_STATE: 121,
  SHARE_SESSION_NOT_FOUND: 122,
  INVALID_SHARE_SESSION_EPOCH: 123,
  SHARE_SESSION_LIMIT_REACHED: 133,
} as const;
