import type { LogRecord } from '@taskflow/log/logRecord';
import { expect } from 'chai';
import { createQueuePacing, takeWhenDue } from './queuePacing.ts';

const topic = 'taskflow.queue.noop.normal';
const partition = 0;
const at = (firstOffset: number) => ({ topic, partition, firstOffset });

/** A thousand starts a second, up to and with the offset 999. */
function busyPacing(options: { readonly longestMs?: number; readonly leadRecords?: number } = {}) {
  let now = 0;
  const pacing = createQueuePacing({ longestMs: 60_000, leadRecords: 0, ...options, now: () => now });
  const start = (offset: number) => pacing.started(topic, partition, offset);
  for (let offset = 0; offset < 1_000; offset++) start(offset);
  now = 1_000;
  return { pacing, start, pass: (ms: number) => (now += ms) };
}

describe('the pacing of a queue', () => {
  it('folds what is read before any start at once', () => {
    expect(createQueuePacing().due(at(0))).to.equal(undefined);
  });

  it('folds what the starts have come to at once, and lets what lies ahead of them wait until they do', async () => {
    const { pacing, start } = busyPacing();
    expect(pacing.due(at(999))).to.equal(undefined);
    let folded = false;
    const due = pacing.due(at(1_050))?.then(() => {
      folded = true;
    });
    start(1_049);
    await Promise.resolve();
    expect(folded).to.equal(false);
    start(1_050);
    await due;
    expect(folded).to.equal(true);
  });

  it('keeps a lead over the starts', async () => {
    const { pacing, start } = busyPacing({ leadRecords: 100 });
    expect(pacing.due(at(1_099))).to.equal(undefined);
    expect(pacing.isReached(at(1_099))).to.equal(true);
    const due = pacing.due(at(1_100));
    expect(pacing.isReached(at(1_100))).to.equal(false);
    start(1_000);
    await due;
    expect(pacing.isReached(at(1_100))).to.equal(true);
  });

  it('folds at once where starts have become few', () => {
    const { pacing, start, pass } = busyPacing();
    expect(pacing.due(at(1_100))).to.be.a('promise');
    start(1_100);
    pass(1_000);
    expect(pacing.due(at(1_200)), 'a pause between two bunches').to.be.a('promise');
    start(1_200);
    pass(1_000);
    expect(pacing.due(at(1_300))).to.equal(undefined);
  });

  it('knows of many starts before a window is over', () => {
    const pacing = createQueuePacing({ leadRecords: 0, now: () => 0 });
    for (let offset = 0; offset < 99; offset++) pacing.started(topic, partition, offset);
    expect(pacing.due(at(99))).to.equal(undefined);
    pacing.started(topic, partition, 99);
    expect(pacing.due(at(100))).to.be.a('promise');
    pacing.release();
  });

  it('folds a backlog at once that the starts would not get through soon', () => {
    const { pacing } = busyPacing({ longestMs: 100 });
    expect(pacing.due(at(1_101))).to.equal(undefined);
    expect(pacing.due(at(1_050))).to.be.a('promise');
    pacing.release();
  });

  it('lets nothing wait for longer than allowed, whatever the starts do', async () => {
    const { pacing } = busyPacing({ longestMs: 50 });
    await pacing.due(at(1_010));
  });

  it('knows each partition by itself', () => {
    const { pacing } = busyPacing();
    expect(pacing.due({ topic, partition: 1, firstOffset: 1_050 })).to.equal(undefined);
  });

  it('lets go of all that waits when it is released', async () => {
    const { pacing } = busyPacing();
    const due = pacing.due(at(1_050));
    pacing.release();
    await due;
    expect(pacing.due(at(1_060)), 'what comes behind it').to.equal(undefined);
  });
});

describe('takeWhenDue', () => {
  const records = Array.from({ length: 1_234 }, (_, offset) => ({
    topic,
    partition,
    offset,
  })) as unknown as LogRecord[];

  it('hands on all records in order, each once, those behind the starts when they come to them', async () => {
    const { pacing, start } = busyPacing();
    const taken: number[] = [];
    const all = takeWhenDue(pacing, records, async (slice) => {
      taken.push(...slice.map(({ offset }) => offset));
    });
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    expect(taken.length).to.be.within(1_000, 1_100);
    start(1_233);
    await all;
    expect(taken).to.deep.equal(records.map(({ offset }) => offset));
  });
});
