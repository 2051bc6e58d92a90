import { expect } from 'chai';
import { codes } from '../wire/errorCodes.ts';
import { acknowledgementTypes } from './acknowledgements.ts';
import { AcquiredBatch } from './acquiredBatch.ts';
import { HeldRecord } from './delivered.ts';
import { Renewals, type Renewed } from './renewals.ts';
import type { ShareSession } from './session.ts';
import { partitionId } from './sessionState.ts';
import { noAcknowledgements, SharePartition } from './sharePartition.ts';

const { accept, release } = acknowledgementTypes;
const session = { brokerId: 1, acknowledge() {} } as unknown as ShareSession;

function held(count: number) {
  const counts = noAcknowledgements();
  const partition = new SharePartition(partitionId(Buffer.alloc(16, 1), 0), 'queue', session, counts);
  const hold = partition.begin(0);
  const batch = new AcquiredBatch(0, count - 1);
  const records = Array.from(
    { length: count },
    (_, offset) => new HeldRecord('queue', 0, offset, null, null, 0, 0, undefined, hold, 1, 0, batch),
  );
  partition.received({ records, vacant: [] });
  return { partition, records, counts };
}

/** Answers as a broker does that has lost the locks of `stale`. */
function answerAll(partition: SharePartition, stale: ReadonlySet<number>): number {
  let requests = 0;
  while (partition.hasWaiting) {
    const ranges = partition.take();
    requests++;
    const bad = ranges.some(({ first, last }) => [...stale].some((offset) => first <= offset && offset <= last));
    partition.answered(bad ? 'invalidState' : 'done');
  }
  return requests;
}

describe('share partition', () => {
  it('sends everything in one request, and counts it when it is answered', () => {
    const { partition, records, counts } = held(100);
    for (const record of records) partition.settle(record, record.offset === 50 ? release : accept);
    expect(partition.held).to.equal(0);
    expect(answerAll(partition, new Set())).to.equal(1);
    expect(counts).to.include({ accepted: 99, released: 1 });
    expect(partition.settled).to.equal(true);
  });

  it('sends what is settled of a batch with the rest of it, or when it is to be broken up', () => {
    const { partition, records } = held(4);
    partition.settle(records[1]!, accept);
    expect(partition).to.include({ hasWaiting: false, settled: false });
    expect(partition.partsSince).to.be.a('number');
    partition.breakUp();
    expect(partition.partsSince).to.equal(undefined);
    expect(partition.take()).to.deep.equal([{ first: 1, last: 1, type: accept }]);
    partition.answered('done');
    for (const offset of [3, 0]) partition.settle(records[offset]!, accept);
    expect(partition.hasWaiting).to.equal(false);
    partition.settle(records[2]!, accept);
    expect(partition.partsSince).to.equal(undefined);
    expect(partition.take()).to.deep.equal([
      { first: 0, last: 0, type: accept },
      { first: 2, last: 3, type: accept },
    ]);
    partition.answered('done');
    expect(partition.settled).to.equal(true);
  });

  it('accepts all but the records whose lock was lost, in few requests', () => {
    const { partition, records, counts } = held(512);
    for (const record of records) partition.settle(record, accept);
    const requests = answerAll(partition, new Set([7, 300]));
    expect(counts).to.include({ accepted: 510, invalidState: 2 });
    expect(requests).to.be.at.most(2 * 2 * 10 + 1);
  });

  it('sends again what failed for another reason', () => {
    const { partition, records, counts } = held(2);
    for (const record of records) partition.settle(record, accept);
    const first = partition.take();
    partition.answered('retry');
    expect(partition.settled).to.equal(false);
    expect(partition.take()).to.deep.equal(first);
    partition.answered('done');
    expect(counts.accepted).to.equal(2);
  });

  it('acknowledges nothing of a hold that is over', () => {
    const { partition, records, counts } = held(3);
    partition.settle(records[0]!, accept);
    const hold = partition.lose();
    expect(hold).to.equal(records[0]!.session);
    expect(hold!.lost).to.equal(true);
    partition.begin(2);
    partition.settle(records[1]!, accept);
    expect(partition.hasWaiting).to.equal(false);
    expect(partition.held).to.equal(0);
    expect(counts).to.include({ accepted: 0, lostWithSession: 2 });
  });

  it('counts the first of several settlements of a record', () => {
    const { partition, records } = held(1);
    partition.settle(records[0]!, release);
    partition.settle(records[0]!, accept);
    expect(partition.take()).to.deep.equal([{ first: 0, last: 0, type: release }]);
    expect(partition.held).to.equal(0);
  });
});

describe('renewals', () => {
  function renew(count: number, stale: ReadonlySet<number>, failing = false): Renewed {
    const { records } = held(count);
    const renewals = new Renewals();
    let result: Renewed | undefined;
    renewals.add(records, (renewed) => {
      result = renewed;
    });
    while (!renewals.empty) {
      for (const part of renewals.take()) {
        const bad = part.records.some(({ offset }) => stale.has(offset));
        const code = failing ? codes.REQUEST_TIMED_OUT : bad ? codes.INVALID_RECORD_STATE : codes.NONE;
        renewals.answered(part, code, 1_000);
      }
    }
    return result!;
  }

  it('tells the renewed from the lost', () => {
    const { renewed, lost } = renew(20, new Set([0, 19]));
    expect(lost.map(({ offset }) => offset).sort((a, b) => a - b)).to.deep.equal([0, 19]);
    expect(renewed).to.have.length(18);
    expect(renewed.every(({ lockedUntil }) => lockedUntil === 1_000)).to.equal(true);
    expect(lost.every(({ lockedUntil }) => lockedUntil === 0)).to.equal(true);
  });

  it('leaves locks as they are when the broker is in trouble', () => {
    expect(renew(3, new Set(), true)).to.deep.equal({ renewed: [], lost: [] });
  });

  it('answers at once where there is nothing to renew', () => {
    expect(renew(0, new Set())).to.deep.equal({ renewed: [], lost: [] });
  });

  it('takes records of a lost hold, and those under way when it is lost, for lost', () => {
    const { partition, records } = held(4);
    const renewals = new Renewals();
    const results: Renewed[] = [];
    renewals.add(records, (renewed) => void results.push(renewed));
    renewals.lose();
    partition.lose();
    renewals.add(records.slice(0, 1), (renewed) => void results.push(renewed));
    expect(results.map(({ lost }) => lost.length)).to.deep.equal([4, 1]);
  });
});
