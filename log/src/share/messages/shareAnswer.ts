import type { Decoder } from '../../wire/decoder.ts';

/** What ShareFetch and ShareAcknowledge both answer. */
export interface ShareAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** How long a record that is acquired (or renewed) now stays locked; 0 where the broker does not say. */
  readonly lockTimeoutMs: number;
}

/** The leader that the broker knows of, in the answer for a partition that it does not lead; -1 where it knows none. */
export interface CurrentLeader {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export function readLeader(decoder: Decoder): CurrentLeader {
  const leader = { leaderId: decoder.int32(), leaderEpoch: decoder.int32() };
  decoder.tags();
  return leader;
}
