import type { TaskEvent } from '@taskflow/schemas/events';
import { silentLogger } from '@taskflow/service/logger';
import { expect } from 'chai';
import { testCodec } from '../testing/fakeLog.ts';
import { EventsTail, type LookFrom } from './eventsTail.ts';
import type { EventRecord, QueueFacts } from './ports.ts';

const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const cancelled = (n: number): TaskEvent => ({
  event: 'TaskCancelled',
  taskId: id(n),
  generation: 0,
  attempt: 1,
  workerId: '',
  eventId: id(99),
  userId: id(0),
  type: 'sample',
  priority: 'normal',
  occurredAt: 1,
  runId: null,
  stepId: null,
  reason: null,
  actor: null,
});

/** An events partition whose record n was appended at n seconds. */
class FakePartition implements QueueFacts {
  readonly scans: LookFrom[] = [];
  failures = 0;
  readonly records: EventRecord[] = [];

  add(...tasks: number[]): void {
    for (const n of tasks) this.put(Buffer.from(id(n)), testCodec.encode(cancelled(n)));
  }
  put(key: Buffer | null, value: Buffer | null): void {
    this.records.push({ offset: this.records.length, key, value, appendedAt: this.records.length * 1_000 });
  }
  async groupStart() {
    return 0;
  }
  async eventsEnds() {
    return [this.records.length];
  }
  async lastEventOfOldLeader() {
    return undefined;
  }
  async scanEvents(_partition: number, from: LookFrom, onRecords: (records: readonly EventRecord[]) => void) {
    this.scans.push(from);
    await Promise.resolve();
    if (this.failures-- > 0) throw new Error('away');
    onRecords(
      this.records.filter(({ offset, appendedAt }) =>
        'offset' in from ? offset >= from.offset : appendedAt >= from.time,
      ),
    );
    return { end: this.records.length };
  }
}

describe('the tail of an events partition', () => {
  let partition: FakePartition;
  let tail: EventsTail;
  const asked: number[] = [];
  beforeEach(() => {
    partition = new FakePartition();
    asked.length = 0;
    tail = new EventsTail({
      facts: partition,
      eventsPartition: 0,
      codec: testCodec,
      learnSchema: async (schemaId) => asked.push(schemaId) < 0,
      logger: silentLogger,
    });
  });
  const look = (n: number, from: LookFrom, to?: number) =>
    tail.look({ taskId: id(n), from, isObsolete: () => false, ...(to === undefined ? {} : { to }) });
  const offsets = async (seen: ReturnType<typeof look>) => (await seen).events.map(({ offset }) => offset);

  it('gives the events of one task, from an offset or a time, to the end or before an offset', async () => {
    partition.add(1, 2, 1, 1, 2);
    expect(await offsets(look(1, { offset: 0 }))).to.deep.equal([0, 2, 3]);
    expect(await offsets(look(1, { offset: 1 }, 3))).to.deep.equal([2]);
    expect(await offsets(look(2, { time: 2_500 }))).to.deep.equal([4]);
    expect((await look(3, { offset: 0 })).end).to.equal(5);
  });

  it('asks nothing about a range that is empty', async () => {
    expect(await look(1, { offset: 7 }, 7)).to.deep.equal({ events: [], end: 7 });
    expect(partition.scans).to.deep.equal([]);
  });

  it('scans once for all who ask meanwhile, each from where it wants', async () => {
    partition.add(1, 2, 3, 1, 2, 3);
    const found = await Promise.all([1, 2, 3].map((n) => offsets(look(n, { offset: n }))));
    expect(found).to.deep.equal([[3], [4], [5]]);
    expect(partition.scans).to.deep.equal([{ offset: 1 }]);
  });

  it('never takes an offset for earlier than a time, or the other way round', async () => {
    partition.add(1, 2, 1, 2);
    const found = await Promise.all([offsets(look(1, { offset: 1 })), offsets(look(2, { time: 0 }))]);
    expect(found).to.deep.equal([[2], [1, 3]]);
    expect(partition.scans).to.deep.equal([{ offset: 1 }, { time: 0 }]);
  });

  it('asks again while it cannot be read, and gives nothing twice', async () => {
    partition.add(1);
    partition.failures = 3;
    expect(await offsets(look(1, { offset: 0 }))).to.deep.equal([0]);
    expect(partition.scans).to.have.length(4);
  });

  it('asks no more when nobody wants to know', async () => {
    partition.failures = Number.POSITIVE_INFINITY;
    let wanted = true;
    void tail.look({ taskId: id(1), from: { offset: 0 }, isObsolete: () => !wanted });
    while (partition.scans.length < 2) await new Promise((resolve) => setImmediate(resolve));
    wanted = false;
    partition.failures = 0;
    partition.add(2);
    expect(await offsets(look(2, { offset: 0 }))).to.deep.equal([0]);
  });

  it('passes over what is no event', async () => {
    partition.put(Buffer.from(id(1)), Buffer.from('garbage'));
    partition.put(Buffer.from(id(1)), null);
    partition.put(null, testCodec.encode(cancelled(1)));
    partition.add(1);
    const unknown = Buffer.from(testCodec.encode(cancelled(1)));
    unknown.writeUInt32BE(777, 1);
    partition.put(Buffer.from(id(1)), unknown);
    expect(await offsets(look(1, { offset: 0 }))).to.deep.equal([3]);
    expect(asked, 'of a schema that is not known the registry is asked').to.deep.equal([777]);
  });
});
