import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';

/** A record as the broker handed it out. */
export interface DeliveredFacts {
  readonly offset: number;
  readonly leaderEpoch: number;
  /** How often the broker has handed it out, this time included. */
  readonly delivery: number;
  /** Of the TaskQueued in it. */
  readonly check: boolean;
}

/** What a worker knew of the partition when the record came. */
export interface PartitionKnowledge {
  /** Of the leader that handed the record out. */
  readonly leaderEpoch: number;
  /** The group's start offset, as asked when the session with that leader was open; undefined where nobody could say. */
  readonly groupStart: number | undefined;
  /** The highest offset that this worker had had from the partition before; -1 where none. */
  readonly highest: number;
}

/** Why a record may have run before. */
export interface Suspicion {
  /** The broker counts an earlier delivery. */
  readonly redelivered: boolean;
  /** The broker may have forgotten that it handed it out, so that whoever holds it may be well. */
  readonly forgotten: boolean;
  /** Its writer said that another copy may be on the log, or it recovers a lost run. */
  readonly copy: boolean;
}

/**
 * Which records must be checked against the log before their handlers start; undefined for all others, which are first
 * deliveries for certain.
 *
 * A broker that restarts forgets its locks and delivery counts, and a restart raises the leader epoch: what is of an older
 * epoch was perhaps handed out then, if it lay within the window of locks. The group's start offset that can be asked for
 * is stored one change late, by a window at most: so two windows are counted from it (docs/decisions/0070). Without a new
 * leader, first deliveries only ascend: one below an offset already had tells that counts were forgotten, too.
 */
export function suspicionOf(
  record: DeliveredFacts,
  known: PartitionKnowledge,
  values: Pick<ProtocolValues, 'maxRecordLocks'> = protocolDefaults,
): Suspicion | undefined {
  const redelivered = record.delivery > 1;
  const forgotten = isOfOlderLeader(record, known, values) || (!redelivered && record.offset <= known.highest);
  if (!redelivered && !forgotten && !record.check) return undefined;
  return { redelivered, forgotten, copy: record.check };
}

function isOfOlderLeader(
  record: DeliveredFacts,
  known: PartitionKnowledge,
  { maxRecordLocks }: Pick<ProtocolValues, 'maxRecordLocks'>,
): boolean {
  if (record.leaderEpoch >= known.leaderEpoch) return false;
  return known.groupStart === undefined || record.offset < known.groupStart + 2 * maxRecordLocks;
}
