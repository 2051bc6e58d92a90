import { type ProtocolValues, protocolDefaults } from '@taskflow/core/protocolValues';
import { type ConfigOf, integer, type Settings } from '@taskflow/service/settings';

const hour = 3_600_000;

/** The values of the worker protocol. Workers of one system must agree on them. */
export const protocolSettings = {
  lockRenewMs: {
    variable: 'TASKFLOW_LOCK_RENEW_MS',
    description: 'How often the lock of a running task is renewed, in milliseconds. The lock is three times as long.',
    default: String(protocolDefaults.renewEveryMs),
    schema: integer({ min: 100, max: 600_000 }),
  },
  handOverAfterMs: {
    variable: 'TASKFLOW_HAND_OVER_AFTER_MS',
    description: 'After how many milliseconds a run is handed over: a lease on the log replaces its lock in the queue.',
    default: String(protocolDefaults.handOverAfterMs),
    schema: integer({ min: 100, max: hour }),
  },
  leaseMs: {
    variable: 'TASKFLOW_LEASE_MS',
    description: 'How long a handed-over run is presumed alive after a heartbeat, in milliseconds.',
    default: String(protocolDefaults.leaseMs),
    schema: integer({ min: 1_000, max: hour }),
  },
  maxRecordLocks: {
    variable: 'TASKFLOW_MAX_RECORD_LOCKS',
    description:
      "How far the broker lets a partition of a queue move beyond its oldest lock, in records: the broker's `group.share.partition.max.record.locks`.",
    default: String(protocolDefaults.maxRecordLocks),
    schema: integer({ min: 100, max: 1_000_000 }),
  },
  lookAgainMs: {
    variable: 'TASKFLOW_LOOK_AGAIN_MS',
    description:
      'How long a record that may still run elsewhere is left to its worker to be handed over, before it is started, in milliseconds.',
    default: String(protocolDefaults.lookAgainMs),
    schema: integer({ min: 0, max: 60_000 }),
  },
  lookAgainAfterRestartMs: {
    variable: 'TASKFLOW_LOOK_AGAIN_AFTER_RESTART_MS',
    description: 'The same after a broker has restarted and its workers must find it again.',
    default: String(protocolDefaults.lookAgainAfterForgottenMs),
    schema: integer({ min: 0, max: 60_000 }),
  },
  aloneFromStart: {
    variable: 'TASKFLOW_ALONE_FROM_START',
    description: 'From which start on (lost runs counted) an attempt runs alone in its process.',
    default: String(protocolDefaults.aloneFromStart),
    schema: integer({ min: 2, max: 1_000 }),
  },
  maxStarts: {
    variable: 'TASKFLOW_MAX_STARTS',
    description: 'After how many starts an attempt whose workers died ends with `WORKER_LOST`.',
    default: String(protocolDefaults.maxStarts),
    schema: integer({ min: 1, max: 1_000 }),
  },
  giveBackAtDelivery: {
    variable: 'TASKFLOW_GIVE_BACK_AT_DELIVERY',
    description:
      "From which delivery on a record is given back through the log. Below the queue's limit of deliveries (10), where the broker would drop it.",
    default: String(protocolDefaults.giveBackAtDelivery),
    schema: integer({ min: 3, max: 9 }),
  },
  copyMarginMs: {
    variable: 'TASKFLOW_COPY_MARGIN_MS',
    description:
      'How much earlier than a record that may be a second copy its twin is looked for on the log, in milliseconds.',
    default: String(protocolDefaults.copyMarginMs),
    schema: integer({ min: 0, max: 24 * hour }),
  },
  brokerClockSkewMs: {
    variable: 'TASKFLOW_BROKER_CLOCK_SKEW_MS',
    description: 'How far the clocks of two brokers may lie apart, in milliseconds.',
    default: String(protocolDefaults.brokerClockSkewMs),
    schema: integer({ min: 0, max: hour }),
  },
} as const satisfies Settings;

/** The protocol as this process is configured to follow it. */
export function protocolOf(config: ConfigOf<typeof protocolSettings>): ProtocolValues {
  const { lockRenewMs, lookAgainAfterRestartMs, ...same } = config;
  return {
    ...protocolDefaults,
    handOverAfterMs: same.handOverAfterMs,
    leaseMs: same.leaseMs,
    maxRecordLocks: same.maxRecordLocks,
    lookAgainMs: same.lookAgainMs,
    aloneFromStart: same.aloneFromStart,
    maxStarts: same.maxStarts,
    giveBackAtDelivery: same.giveBackAtDelivery,
    copyMarginMs: same.copyMarginMs,
    brokerClockSkewMs: same.brokerClockSkewMs,
    renewEveryMs: lockRenewMs,
    lockMs: 3 * lockRenewMs,
    lookAgainAfterForgottenMs: lookAgainAfterRestartMs,
  };
}
