/** The numbers of the worker protocol. All are configurable; a worker and the orchestrator of one system must agree on those of a lease. */
export interface ProtocolValues {
  /** How long the broker locks a record for the worker that it handed it to. */
  readonly lockMs: number;
  /** How often the locks of what runs are renewed. */
  readonly renewEveryMs: number;
  /** A run of this age is handed over: its lease moves from the broker's lock to the log. */
  readonly handOverAfterMs: number;
  /** How long a run is presumed alive after a heartbeat, once it is handed over. */
  readonly leaseMs: number;
  /** How far the broker lets a partition move beyond its oldest lock (`group.share.partition.max.record.locks`). */
  readonly maxRecordLocks: number;
  /** The wait in which a living worker would hand over, before a record is taken that may run elsewhere. */
  readonly lookAgainMs: number;
  /** The same after the broker has forgotten its locks: its workers must find it again first. */
  readonly lookAgainAfterForgottenMs: number;
  /** From this start on (recoveries included) an attempt runs alone in its process. */
  readonly aloneFromStart: number;
  /** After so many starts an attempt is given up (`WORKER_LOST`). */
  readonly maxStarts: number;
  /** So many attempts of a generation may be queued because a run was lost. */
  readonly maxRecoveries: number;
  /** From this delivery on a record is given back through the log: at its limit (10) the broker would archive it without a word. */
  readonly giveBackAtDelivery: number;
  /** How much earlier than a record that may be a second copy the first one can have been appended. */
  readonly copyMarginMs: number;
  /** How far the append times of two brokers may lie apart. */
  readonly brokerClockSkewMs: number;
  /** How long the orchestrator remembers a task that had a timer, once it has ended. */
  readonly rememberEndedMs: number;
  /** How long the watchdog lets a task be without a record, a timer or an end. */
  readonly watchdogAfterMs: number;
}

export const protocolDefaults: ProtocolValues = {
  lockMs: 15_000,
  renewEveryMs: 5_000,
  handOverAfterMs: 10_000,
  leaseMs: 30_000,
  maxRecordLocks: 10_000,
  lookAgainMs: 500,
  lookAgainAfterForgottenMs: 2_000,
  aloneFromStart: 3,
  maxStarts: 5,
  maxRecoveries: 5,
  giveBackAtDelivery: 8,
  copyMarginMs: 300_000,
  brokerClockSkewMs: 2_000,
  rememberEndedMs: 3_600_000,
  watchdogAfterMs: 60_000,
};
