import type { Findings, Settled } from './findings.ts';
import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';

export type Takeover = 'at-once' | 'after-lease';

export interface CheckContext {
  /** This process. */
  readonly workerId: string;
  /** What a type declares: whether its effects bear a second run. */
  readonly takeover: string;
  readonly delivery: number;
  /** Of the TaskQueued. */
  readonly recoveries: number;
  /** The broker may have forgotten that it handed the record out (`Suspicion.forgotten`). */
  readonly forgotten: boolean;
  /** It has forgotten because the partition's leader is new: every worker that lives has had the session's age to hand over. */
  readonly leaderIsNew?: boolean;
  /** Another copy of the record may be on the log (`Suspicion.copy`). */
  readonly copy?: boolean;
  /** End of the task's events partition, as asked when the session with the present leader was open: a start behind it was locked by this leader. */
  readonly eventsEndAtSession: number;
  /** How long this worker has had that session. */
  readonly sessionAgeMs: number;
  /** How long ago the record came: so long a living worker has had to hand it over already. */
  readonly heldMs?: number;
  /** How often the log has been read for this delivery, this time included. */
  readonly looks: number;
}

export type CheckDecision =
  /** Settled already: accept, don't run. */
  | { readonly action: 'accept'; readonly because: Settled }
  /** Read what the log got meanwhile, after so long (it may be at once), and decide again. */
  | { readonly action: 'look-again'; readonly afterMs: number }
  /** Append a hand-over in the name of the worker that started it (`handOverEvent`), and accept once it is acknowledged. */
  | { readonly action: 'hand-over'; readonly starter: string }
  /** Append TaskStarted with `starts`; once it is acknowledged ask `decideClaim`, and then run. */
  | { readonly action: 'run'; readonly starts: number; readonly alone: boolean }
  /** Append `workerLost`, then accept. */
  | { readonly action: 'fail' }
  /** Append `workerStopped`, then accept: the next attempt has a record with deliveries to spare. */
  | { readonly action: 'give-back' };

/** What becomes of a record that may have run before, from what its events partition says. PROTOCOL.md, 1 to 4. */
export function decideDelivered(
  findings: Findings,
  context: CheckContext,
  values: ProtocolValues = protocolDefaults,
): CheckDecision {
  if (findings.settled) return { action: 'accept', because: findings.settled };
  const afterMs = context.looks < 2 ? stillToWait(context, values) : undefined;
  if (afterMs !== undefined) return { action: 'look-again', afterMs };
  const { lastStart } = findings;
  if (lastStart && (context.takeover === 'after-lease' || isPresumedAlive(findings, context, values))) {
    return { action: 'hand-over', starter: lastStart.workerId };
  }
  const starts = (lastStart?.starts ?? 0) + 1;
  if (starts > values.maxStarts) return { action: 'fail' };
  if (context.delivery >= values.giveBackAtDelivery) return { action: 'give-back' };
  return { action: 'run', starts, alone: starts + context.recoveries >= values.aloneFromStart };
}

/**
 * How long a living worker is still given to hand the record over, undefined if it has had its time before the log was read. It has
 * it from the moment at which the record came: where the first look took as long (a backlog full of events), the second one follows at once.
 * After a new leader came the time counts from the session with it: a backlog of thousands of records, all of them perhaps handed
 * out before, would otherwise wait record by record.
 */
function stillToWait(context: CheckContext, values: ProtocolValues): number | undefined {
  const { forgotten, leaderIsNew = false, copy = false, heldMs = 0 } = context;
  const forgottenMs = forgotten ? values.lookAgainAfterForgottenMs - (leaderIsNew ? context.sessionAgeMs : 0) : 0;
  const otherMs = !forgotten || copy || context.delivery > 1 ? values.lookAgainMs : 0;
  if (forgottenMs <= 0 && otherMs <= 0) return undefined;
  return Math.max(leaderIsNew ? forgottenMs : forgottenMs - heldMs, otherMs - heldMs, 0);
}

/**
 * Whether the worker that started it may be well and only has not handed over yet: the broker has forgotten its lock. Not if
 * that worker is this one, which knows what it runs; nor if the start came under the present leader, which does not forget;
 * nor once this leader has been there for a lease, in which whoever lives has found it.
 */
function isPresumedAlive(findings: Findings, context: CheckContext, values: ProtocolValues): boolean {
  const { lastStart } = findings;
  if (!context.forgotten || !lastStart || lastStart.workerId === context.workerId) return false;
  return lastStart.offset < context.eventsEndAtSession && context.sessionAgeMs < values.leaseMs;
}

export type ClaimDecision =
  /** The run is this worker's: run the handler. */
  | { readonly action: 'run' }
  /** It was settled before the start came to the log: accept, don't run. */
  | { readonly action: 'accept'; readonly because: Settled }
  /** The lock may have passed meanwhile, and the run could not be handed over: neither run nor accept. The record comes again, to whomever. */
  | { readonly action: 'drop' };

/**
 * Asked once the TaskStarted of a checked record is acknowledged, with the log read up to that start: what came to the log
 * between the last look and the start decides. A hand-over before the start is seen here, and a hand-over behind it
 * sees the start (`isOvertakenBy`): of two workers one gives way, however long their events were under way.
 */
export function decideClaim(findings: Findings, lockHolds: boolean): ClaimDecision {
  if (findings.settled) return { action: 'accept', because: findings.settled };
  return lockHolds ? { action: 'run' } : { action: 'drop' };
}
