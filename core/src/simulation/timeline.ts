interface Entry {
  readonly at: number;
  readonly turn: number;
  readonly act: () => void;
}

/** Simulated time: what is due is done in order, and time jumps from one to the next. Ties go by who asked first. */
export class Timeline {
  now = 1_760_000_000_000;
  private readonly heap: Entry[] = [];
  private turns = 0;

  after(ms: number, act: () => void): void {
    const entry = { at: this.now + ms, turn: this.turns++, act };
    const { heap } = this;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  /** Runs until `isDone` or the time limit; false where it came to the limit. */
  run(isDone: () => boolean, until: number): boolean {
    for (let steps = 0; ; steps++) {
      if (steps % 64 === 0 && isDone()) return true;
      const next = this.take();
      if (next === undefined || next.at > until) return isDone();
      this.now = next.at;
      next.act();
    }
  }

  private take(): Entry | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.turn < b.turn : a.at < b.at;
}
