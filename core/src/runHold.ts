import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';

/**
 * What a worker knows about its hold on a run: the broker's lock at first, the lease on the log once it is handed over.
 * Times are of the worker's own monotonic clock, counted from before the request left: the hold lasts at least so long.
 */
export interface RunHold {
  readonly lockedUntil: number;
  /** The session is lost, or the broker said so when the lock was to be renewed. */
  readonly lockLost: boolean;
  /** Since the hand-over was acknowledged; null before. */
  readonly leaseUntil: number | null;
  /** Somebody else has the run, or may have: the hold was interrupted. Never false again. */
  readonly overtaken: boolean;
}

export function lockedHold(lockedUntil: number): RunHold {
  return { lockedUntil, lockLost: false, leaseUntil: null, overtaken: false };
}

/** A heartbeat that left at `sentAt` is acknowledged. One that comes after the lease has passed does not restore it. */
export function heartbeatAcknowledged(
  hold: RunHold,
  sentAt: number,
  now: number,
  { leaseMs }: Pick<ProtocolValues, 'leaseMs'> = protocolDefaults,
): RunHold {
  const passed = hold.leaseUntil !== null && hold.leaseUntil <= now;
  return { ...hold, leaseUntil: sentAt + leaseMs, overtaken: hold.overtaken || passed };
}

/** Whether nobody else can have the run. */
export function isHeld(hold: RunHold, now: number): boolean {
  if (hold.overtaken) return false;
  return hold.leaseUntil === null ? !hold.lockLost && now < hold.lockedUntil : now < hold.leaseUntil;
}

/**
 * What a run may say of its end. `report`: write it. `after-hand-over`: the lock may have passed, but the run can still be claimed:
 * hand it over as if it ran on (`decideHandOver`), and ask again. `withhold`: drop it and don't accept; whoever has the run
 * now, or the end of its lease, decides.
 */
export type ReportDecision = 'report' | 'after-hand-over' | 'withhold';

/**
 * The zombie rule: a run whose lock or lease may have passed may still report success, but neither failure nor retry, which
 * would end, or queue again, what someone else runs by now.
 */
export function decideReport(outcome: 'success' | 'failure', hold: RunHold, now: number): ReportDecision {
  if (outcome === 'success' || isHeld(hold, now)) return 'report';
  return hold.overtaken || hold.leaseUntil !== null ? 'withhold' : 'after-hand-over';
}

/** Locks are renewed while the run is not handed over; also while it waits for its check, or to run alone. */
export function isRenewalDue(
  hold: RunHold,
  renewedAt: number,
  now: number,
  { renewEveryMs }: Pick<ProtocolValues, 'renewEveryMs'> = protocolDefaults,
): boolean {
  return hold.leaseUntil === null && !hold.lockLost && now - renewedAt >= renewEveryMs;
}

/** A run that is handed over writes a heartbeat each third of the lease, from the last that it wrote, the hand-over included. */
export function isHeartbeatDue(
  hold: RunHold,
  writtenAt: number,
  now: number,
  { leaseMs }: Pick<ProtocolValues, 'leaseMs'> = protocolDefaults,
): boolean {
  return hold.leaseUntil !== null && now - writtenAt >= leaseMs / 3;
}
