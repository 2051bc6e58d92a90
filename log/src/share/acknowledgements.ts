/** What becomes of an acquired record, as the protocol numbers it. A gap is an offset that holds no record. */
export const acknowledgementTypes = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

export type AcknowledgementType = (typeof acknowledgementTypes)[keyof typeof acknowledgementTypes];

export interface AcknowledgementRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  readonly type: AcknowledgementType;
}

const typeBits = 8;

/**
 * Acknowledgements of one partition that wait for the next request. Adding one is a push of one number: a worker adds
 * hundreds of thousands a second. `take` sorts them and merges neighbours of one kind into ranges.
 *
 * Where one offset was given several, the lowest type counts, so an accept beats a release, and anything beats a renewal.
 */
export class Acknowledgements {
  /** offset × 8 + type; offsets stay below 2⁵⁰. */
  #packed: number[] = [];
  #ascending = true;
  #ranges: AcknowledgementRange[] = [];

  get empty(): boolean {
    return this.#packed.length === 0 && this.#ranges.length === 0;
  }

  add(offset: number, type: AcknowledgementType): void {
    const packed = offset * typeBits + type;
    const last = this.#packed.at(-1);
    if (last !== undefined && packed < last) this.#ascending = false;
    this.#packed.push(packed);
  }

  /** Adds ranges, which must not overlap what else is here: gaps, and what a failed request gives back. */
  addRanges(ranges: readonly AcknowledgementRange[]): void {
    this.#ranges.push(...ranges);
  }

  /** Everything that waits, ascending and without overlaps; nothing waits afterwards. */
  take(): AcknowledgementRange[] {
    const singles = merged(this.#ascending ? this.#packed : this.#packed.sort((a, b) => a - b));
    const ranges = this.#ranges;
    this.clear();
    if (ranges.length === 0) return singles;
    return joined([...singles, ...ranges].sort((a, b) => a.first - b.first));
  }

  clear(): void {
    this.#packed = [];
    this.#ascending = true;
    this.#ranges = [];
  }
}

function merged(packed: readonly number[]): AcknowledgementRange[] {
  const ranges: AcknowledgementRange[] = [];
  let first = -1;
  let last = -2;
  let type: AcknowledgementType = 0;
  for (const one of packed) {
    const oneType = (one % typeBits) as AcknowledgementType;
    const offset = (one - oneType) / typeBits;
    if (offset === last) continue; // sorted: the type that counts came first
    if (offset !== last + 1 || oneType !== type) {
      if (first >= 0) ranges.push({ first, last, type });
      first = offset;
      type = oneType;
    }
    last = offset;
  }
  if (first >= 0) ranges.push({ first, last, type });
  return ranges;
}

function joined(sorted: readonly AcknowledgementRange[]): AcknowledgementRange[] {
  const ranges: AcknowledgementRange[] = [];
  for (const range of sorted) {
    const before = ranges.at(-1);
    if (before && before.last + 1 === range.first && before.type === range.type) {
      ranges[ranges.length - 1] = { first: before.first, last: range.last, type: range.type };
    } else {
      ranges.push(range);
    }
  }
  return ranges;
}

/** How many offsets the ranges cover. */
export function countOf(ranges: readonly AcknowledgementRange[]): number {
  let count = 0;
  for (const { first, last } of ranges) count += last - first + 1;
  return count;
}

/** The ranges cut into two halves with (about) the same number of offsets; the second is empty for a single offset. */
export function halved(
  ranges: readonly AcknowledgementRange[],
): readonly [AcknowledgementRange[], AcknowledgementRange[]] {
  let left = Math.ceil(countOf(ranges) / 2);
  const head: AcknowledgementRange[] = [];
  const tail: AcknowledgementRange[] = [];
  for (const range of ranges) {
    const size = range.last - range.first + 1;
    if (left >= size) head.push(range);
    else if (left <= 0) tail.push(range);
    else {
      head.push({ ...range, last: range.first + left - 1 });
      tail.push({ ...range, first: range.first + left });
    }
    left -= size;
  }
  return [head, tail];
}
