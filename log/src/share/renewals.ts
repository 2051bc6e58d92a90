import { codes } from '../wire/errorCodes.ts';
import { type AcknowledgementRange, Acknowledgements, acknowledgementTypes } from './acknowledgements.ts';
import type { HeldRecord } from './delivered.ts';
import type { SharePartition } from './sharePartition.ts';

/** Neither list has a record whose renewal failed for another reason (a broker in trouble): its lock runs on as it was. */
export interface Renewed {
  readonly renewed: HeldRecord[];
  /** The lock was gone already. */
  readonly lost: HeldRecord[];
}

interface Call extends Renewed {
  left: number;
  readonly resolve: (result: Renewed) => void;
}

/** What one request says about one partition. */
export interface RenewalPart {
  readonly partition: SharePartition;
  readonly ranges: readonly AcknowledgementRange[];
  readonly records: readonly HeldRecord[];
  readonly call: Call;
}

/**
 * Renewals that wait for their request. As with acknowledgements the broker takes a partition's renewals as a whole, so
 * those it refuses are halved until the records without a lock stand alone.
 */
export class Renewals {
  #parts: RenewalPart[] = [];

  get empty(): boolean {
    return this.#parts.length === 0;
  }

  add(records: readonly HeldRecord[], resolve: (result: Renewed) => void): void {
    const call: Call = { renewed: [], lost: [], left: 0, resolve };
    const byPartition = new Map<SharePartition, HeldRecord[]>();
    for (const record of records) {
      const { owner, lost } = record.session;
      if (lost) call.lost.push(record);
      else if (!record.settled) {
        const same = byPartition.get(owner);
        if (same) same.push(record);
        else byPartition.set(owner, [record]);
      }
    }
    for (const [partition, same] of byPartition) this.#push(partition, same, call);
    this.#finish(call);
  }

  /** The next request's: at most one part a partition. */
  take(): RenewalPart[] {
    const taken = new Map<SharePartition, RenewalPart>();
    const left: RenewalPart[] = [];
    for (const part of this.#parts) {
      if (taken.has(part.partition)) left.push(part);
      else taken.set(part.partition, part);
    }
    this.#parts = left;
    return [...taken.values()];
  }

  answered({ partition, records, call }: RenewalPart, code: number, lockedUntil: number): void {
    call.left--;
    if (code === codes.NONE) {
      for (const record of records) record.lockedUntil = lockedUntil;
      call.renewed.push(...records);
    } else if (code === codes.INVALID_RECORD_STATE) {
      // what was accepted meanwhile has no lock to renew
      const open = records.filter(({ settled }) => !settled);
      if (open.length > 1) {
        const half = Math.ceil(open.length / 2);
        this.#push(partition, open.slice(0, half), call);
        this.#push(partition, open.slice(half), call);
      } else {
        call.lost.push(...open);
      }
    }
    this.#finish(call);
  }

  /** The session is over, and every lock with it. */
  lose(parts: readonly RenewalPart[] = this.#parts.splice(0)): void {
    for (const { records, call } of parts) {
      call.left--;
      call.lost.push(...records);
      this.#finish(call);
    }
  }

  #push(partition: SharePartition, records: readonly HeldRecord[], call: Call): void {
    call.left++;
    const renewals = new Acknowledgements();
    for (const { offset } of records) renewals.add(offset, acknowledgementTypes.renew);
    this.#parts.push({ partition, records, ranges: renewals.take(), call });
  }

  #finish(call: Call): void {
    if (call.left === 0) call.resolve({ renewed: call.renewed, lost: call.lost });
  }
}
