import type { TaskQueued } from '@taskflow/schemas/events';
import type { Findings } from '../findings.ts';
import { nothingFound } from '../findings.ts';
import { lockedHold, type RunHold } from '../runHold.ts';
import type { AcquiredRecord, QueueRecord } from './shareGroup.ts';
import type { HandlerStart } from './world.ts';

/** A delivered record in a worker, until it is accepted, released or dropped. */
export class Run {
  readonly queued: TaskQueued;
  record: QueueRecord;
  delivery: number;
  connection: number;
  hold: RunHold;
  /** checking: the log is read. waiting: to run. running. ended: its outcome is not on the log. over. */
  phase: 'checking' | 'waiting' | 'running' | 'ended' | 'over' = 'checking';
  since: number;
  renewedAt: number;
  heartbeatAt = 0;
  handingOver = false;
  /** What waits for the end of the hand-over that is under way. */
  afterHandOver: (() => void) | undefined;
  looks = 0;
  findings: Findings = nothingFound;
  /** Up to where its events partition was read. */
  seenUpTo = 0;
  /** From where on the log tells whether somebody else has it: from when its fetch left (a frozen process reads its answer late); once it was claimed, from its own start, or from the look before where the lock had passed by then. */
  lookFrom: { readonly offset: number } | { readonly time: number };
  /** Its handler has failed, which may not be said yet. */
  unreported: (() => void) | undefined;
  starts = 1;
  alone = false;
  started: HandlerStart | undefined;
  readonly ownEvents = new Set<string>();

  constructor(
    { record, delivery }: AcquiredRecord,
    connection: number,
    lockedUntil: number,
    sentAt: number,
    now: number,
  ) {
    this.queued = record.queued;
    this.record = record;
    this.delivery = delivery;
    this.connection = connection;
    this.hold = lockedHold(lockedUntil);
    this.since = now;
    this.renewedAt = now;
    this.lookFrom = { time: sentAt - 2_000 };
  }

  /** Its hand-over is on the log, or is not to be. */
  handOverEnded(): void {
    this.handingOver = false;
    const again = this.afterHandOver;
    this.afterHandOver = undefined;
    if (this.phase !== 'over') again?.();
  }

  get isHandedOver(): boolean {
    return this.hold.leaseUntil !== null;
  }
}
