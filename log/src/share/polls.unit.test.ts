import { expect } from 'chai';
import type { HeldRecord } from './delivered.ts';
import { type PollSource, Polls } from './polls.ts';

/** Answers polls when the test says so. */
class ScriptedSource implements PollSource {
  ready = true;
  holdsRecords = false;
  /** Even what need not be waited for is answered by `arrive` only. */
  slow = false;
  readonly asked: { maxRecords: number; maxWaitMs: number }[] = [];
  readonly #name: string;
  #stock = 0;
  #pending: { maxRecords: number; resolve: (records: HeldRecord[]) => void } | undefined;

  constructor(name: string, stock = 0) {
    this.#name = name;
    this.#stock = stock;
  }

  get isReady(): boolean {
    return this.ready && this.#pending === undefined;
  }

  get reserved(): number {
    return this.#pending?.maxRecords ?? 0;
  }

  poll(maxRecords: number, maxWaitMs: number): Promise<HeldRecord[]> {
    this.asked.push({ maxRecords, maxWaitMs });
    if (!this.slow && (this.#stock > 0 || maxWaitMs === 0)) return Promise.resolve(this.#some(maxRecords));
    return new Promise((resolve) => {
      this.#pending = { maxRecords, resolve };
    });
  }

  /** Answers the poll that waits with records, or with none. */
  arrive(count: number): void {
    this.#stock += count;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(this.#some(pending.maxRecords));
  }

  #some(maxRecords: number): HeldRecord[] {
    const count = Math.min(maxRecords, this.#stock);
    this.#stock -= count;
    return Array.from({ length: count }, () => ({ topic: this.#name }) as HeldRecord);
  }
}

const topics = (records: readonly HeldRecord[]) => records.map(({ topic }) => topic);

/** Lets promises that are settled run on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('polls of several sessions', () => {
  const released: HeldRecord[] = [];
  let polls: Polls;
  beforeEach(() => {
    released.length = 0;
    polls = new Polls((records) => void released.push(...records));
  });

  it('lets sources take turns where slots are fewer, so that none is never waited on', async () => {
    const sources = [new ScriptedSource('high'), new ScriptedSource('normal'), new ScriptedSource('low')];
    const fetching = polls.fetch(() => sources, { maxRecords: 1, maxWaitMs: 10_000 });
    const waitedOn = () => sources.filter(({ reserved }) => reserved > 0);
    for (let asked = 0; asked < 20; asked++) {
      while (waitedOn().length === 0) await turn();
      const [only, ...others] = waitedOn();
      expect(others).to.deep.equal([]);
      if (only === sources[2]) break;
      only!.arrive(0);
    }
    sources[2]!.arrive(1);
    expect(topics(await fetching)).to.deep.equal(['low']);
  });

  it('lets three sources take turns with two slots, whatever was asked before', async () => {
    for (let before = 0; before < 6; before++) {
      const sources = [new ScriptedSource('high'), new ScriptedSource('normal'), new ScriptedSource('low')];
      const all = new Polls(() => {});
      const answer = async (count: number) => {
        await turn();
        sources.find(({ reserved }) => reserved > 0)!.arrive(count);
      };
      const first = all.fetch(() => sources, { maxRecords: 1, maxWaitMs: 10_000 });
      for (let asked = 0; asked < before; asked++) await answer(0);
      await answer(1);
      await first;
      const already = sources.map(({ asked }) => asked.length);
      const fetching = all.fetch(() => sources, { maxRecords: 2, maxWaitMs: 10_000 });
      for (let round = 0; round < 12; round++) {
        await turn();
        for (const source of sources.filter(({ reserved }) => reserved > 0)) {
          source.arrive(0);
          await turn();
        }
      }
      const asked = sources.map((source, index) => source.asked.length - already[index]!);
      expect(Math.min(...asked), `after ${before} polls: ${asked}`).to.be.at.least(6);
      await answer(1);
      await fetching;
    }
  });

  it('asks in order, each for the slots that are left', async () => {
    const [high, normal, low] = [
      new ScriptedSource('high', 3),
      new ScriptedSource('normal', 9),
      new ScriptedSource('low', 9),
    ];
    const records = await polls.fetch(() => [high, normal, low], { maxRecords: 10, maxWaitMs: 1_000 });
    expect(topics(records)).to.deep.equal([...Array(3).fill('high'), ...Array(7).fill('normal')]);
    expect(normal.asked).to.deep.equal([{ maxRecords: 7, maxWaitMs: 0 }]);
    expect(low.asked).to.deep.equal([]);
  });

  it('waits on all when all are empty, with few slots reserved', async () => {
    const sources = [new ScriptedSource('high'), new ScriptedSource('normal'), new ScriptedSource('low')];
    const fetching = polls.fetch(() => sources, { maxRecords: 64, maxWaitMs: 10_000 });
    await turn();
    expect(sources.map(({ reserved }) => reserved)).to.deep.equal([2, 2, 2]);
    sources[1]!.arrive(1);
    expect(topics(await fetching)).to.deep.equal(['normal']);
    // what the others may still bring stays reserved
    sources[1]!.arrive(100);
    const next = await polls.fetch(() => sources, { maxRecords: 63, maxWaitMs: 10_000 });
    expect(next).to.have.length(63 - 4);
    sources[2]!.arrive(1);
    await turn();
    expect(topics(await polls.fetch(() => sources, { maxRecords: 4, maxWaitMs: 0 }))).to.deep.equal(['low']);
    expect(released).to.deep.equal([]);
  });

  it('gives a single source all slots and the whole wait', async () => {
    const source = new ScriptedSource('only');
    const fetching = polls.fetch(() => [source], { maxRecords: 64, maxWaitMs: 300 });
    await turn();
    expect(source.reserved).to.equal(64);
    source.arrive(64);
    expect(await fetching).to.have.length(64);
    expect(source.asked).to.have.length(1);
    expect(source.asked[0]!.maxWaitMs).to.be.within(290, 300);
  });

  it('waits for a shorter time while records are held, of whichever source', async () => {
    for (const [holdsRecords, longestMs] of [
      [false, 500],
      [true, 250],
    ] as const) {
      const sources = [new ScriptedSource('high'), new ScriptedSource('normal')];
      sources[1]!.holdsRecords = holdsRecords;
      const fetching = new Polls(() => {}).fetch(() => sources, { maxRecords: 64, maxWaitMs: 10_000 });
      await turn();
      for (const { asked } of sources) expect(asked.at(-1)?.maxWaitMs).to.equal(longestMs);
      sources[0]!.arrive(1);
      expect(await fetching).to.have.length(1);
    }
  });

  it('waits on as many sources as there are slots', async () => {
    const sources = [new ScriptedSource('high'), new ScriptedSource('normal'), new ScriptedSource('low')];
    const fetching = polls.fetch(() => sources, { maxRecords: 2, maxWaitMs: 10_000 });
    await turn();
    expect(sources.map(({ reserved }) => reserved)).to.deep.equal([1, 1, 0]);
    sources[0]!.arrive(1);
    expect(await fetching).to.have.length(1);
  });

  it('asks what gave something for all but a few slots, which an empty one before it gets, and that one not again at once', async () => {
    const [high, normal, low] = [
      new ScriptedSource('high'),
      new ScriptedSource('normal', 99),
      new ScriptedSource('low', 9),
    ];
    const fetch = () => polls.fetch(() => [high, normal, low], { maxRecords: 64, maxWaitMs: 0 });
    expect(await fetch()).to.have.length(64);
    high.asked.length = normal.asked.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 30)); // high counts as empty for 20 ms
    expect(topics(await fetch())).to.deep.equal([...Array(35).fill('normal'), ...Array(9).fill('low')]);
    expect(low.asked).to.deep.equal([{ maxRecords: 29, maxWaitMs: 0 }]);
    expect(high.asked).to.deep.equal([{ maxRecords: 2, maxWaitMs: 0 }]);
    expect(normal.asked).to.deep.equal([{ maxRecords: 62, maxWaitMs: 10 }]);
    normal.arrive(5);
    expect(await fetch()).to.have.length(5);
    expect(high.asked).to.have.length(1);
  });

  it('gives what it has found without waiting for empty sources beside it', async () => {
    const high = new ScriptedSource('high');
    const normal = new ScriptedSource('normal', 99);
    const low = new ScriptedSource('low');
    const fetch = () => polls.fetch(() => [high, normal, low], { maxRecords: 64, maxWaitMs: 1_000 });
    await fetch();
    high.slow = low.slow = true;
    await new Promise((resolve) => setTimeout(resolve, 30)); // high counts as empty for 20 ms
    expect(topics(await fetch())).to.deep.equal(Array(35).fill('normal'));
    expect([high.reserved, low.reserved]).to.deep.equal([2, 27]);
    high.arrive(2);
    await turn();
    expect(topics(await fetch())).to.deep.equal(Array(2).fill('high'));
  });

  it('tells a call that does not wait of all there is, empty sources beside what gave included', async () => {
    const normal = new ScriptedSource('normal', 9);
    const low = new ScriptedSource('low');
    low.slow = true;
    let records: HeldRecord[] | undefined;
    const fetching = polls
      .fetch(() => [normal, low], { maxRecords: 64, maxWaitMs: 0 })
      .then((all) => {
        records = all;
      });
    await turn();
    expect(records).to.equal(undefined);
    low.arrive(3);
    await fetching;
    expect(topics(records ?? [])).to.deep.equal([...Array(9).fill('normal'), ...Array(3).fill('low')]);
  });

  it('ends a call that had too few slots to wait on all when more are free, and asks all for them in the next', async () => {
    const sources = [new ScriptedSource('high'), new ScriptedSource('normal'), new ScriptedSource('low')];
    const fetching = polls.fetch(() => sources, { maxRecords: 1, maxWaitMs: 10_000 });
    await turn();
    expect(sources.map(({ reserved }) => reserved)).to.deep.equal([1, 0, 0]);
    sources[1]!.arrive(100);
    polls.slotsFreed();
    expect(await fetching).to.deep.equal([]);
    const next = await polls.fetch(() => sources, { maxRecords: 64, maxWaitMs: 10_000 });
    expect(topics(next)).to.deep.equal(Array(63).fill('normal'));
  });

  it('does not end for slots that were freed before it, nor where it waits on all sources', async () => {
    const sources = [new ScriptedSource('high'), new ScriptedSource('normal')];
    polls.slotsFreed();
    const fetching = polls.fetch(() => sources, { maxRecords: 64, maxWaitMs: 10_000 });
    await turn();
    polls.slotsFreed();
    await turn();
    sources[1]!.arrive(1);
    expect(await fetching).to.have.length(1);
  });

  it('waits on a source that becomes ready meanwhile', async () => {
    const source = new ScriptedSource('late');
    source.ready = false;
    const fetching = polls.fetch(() => [source], { maxRecords: 5, maxWaitMs: 10_000 });
    await turn();
    source.ready = true;
    source.arrive(5);
    polls.changed();
    expect(await fetching).to.have.length(5);
  });

  it('gives up at an abort, and releases what comes afterwards', async () => {
    const source = new ScriptedSource('only');
    const abort = new AbortController();
    const fetching = polls.fetch(() => [source], { maxRecords: 5, maxWaitMs: 10_000, signal: abort.signal });
    await turn();
    abort.abort();
    expect(await fetching).to.deep.equal([]);
    source.arrive(2);
    await turn();
    expect(released).to.have.length(2);
  });

  it('hands what comes after an abort to the next fetch, if that is there', async () => {
    const source = new ScriptedSource('only');
    const abort = new AbortController();
    const fetching = polls.fetch(() => [source], { maxRecords: 5, maxWaitMs: 10_000, signal: abort.signal });
    await turn();
    abort.abort();
    await fetching;
    const next = polls.fetch(() => [source], { maxRecords: 5, maxWaitMs: 10_000 });
    await turn();
    source.arrive(2);
    expect(await next).to.have.length(2);
    expect(released).to.deep.equal([]);
  });

  it('refuses a second fetch at the same time', async () => {
    const source = new ScriptedSource('only');
    const first = polls.fetch(() => [source], { maxRecords: 1, maxWaitMs: 10_000 });
    const second = await polls.fetch(() => [source], { maxRecords: 1, maxWaitMs: 0 }).catch((error: Error) => error);
    expect(second).to.be.instanceOf(Error);
    source.arrive(1);
    expect(await first).to.have.length(1);
  });
});
