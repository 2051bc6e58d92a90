import { expect } from 'chai';
import fc from 'fast-check';
import type { AppendRecord } from '../appender.ts';
import { BackPressureError, PartialAppendError } from '../errors.ts';
import { codes } from '../wire/errorCodes.ts';
import { Admission } from './admission.ts';
import { AppendCall } from './appendCall.ts';
import { Deadlines } from './deadlines.ts';
import { EntryQueue } from './entryQueue.ts';
import { verdictOf } from './verdict.ts';

const record: AppendRecord = { topic: 't', partition: 0, key: null, value: null };
const place = { topic: 't', partition: 0, appendedAt: 2 };

function call(records: number, bytes = 1, onEnd: (ended: AppendCall) => void = () => {}): AppendCall {
  return new AppendCall(
    Array.from({ length: records }, () => record),
    bytes,
    0,
    onEnd,
  );
}

describe('a call of append', () => {
  it('resolves with the positions in order', async () => {
    const three = call(3);
    for (const index of [2, 0, 1]) three.appended(index, place, index);
    expect((await three.promise).map(({ offset }) => offset)).to.deep.equal([0, 1, 2]);
    expect(three.isDone).to.equal(true);
  });

  it('rejects with the error itself where that is all there is to say', async () => {
    const error = new Error('away');
    const two = call(2);
    two.abandon(error);
    expect(await two.promise.catch((caught: unknown) => caught)).to.equal(error);
    expect(two.failedRecords).to.equal(2);
  });

  it('rejects with all outcomes where they differ', async () => {
    const [one, other] = [new Error('one'), new Error('other')];
    const mixed = call(3);
    mixed.failed(1, one);
    mixed.appended(0, place, 1);
    mixed.failed(2, other);
    const error = (await mixed.promise.catch((caught: unknown) => caught)) as PartialAppendError;
    expect(error).to.be.instanceOf(PartialAppendError);
    expect(error.outcomes).to.deep.equal([{ ...place, offset: 1 }, one, other]);
    expect(error.message).to.equal('2 of 3 records were not appended: one');
  });

  it('takes the first outcome of a record, and ends once', async () => {
    let ended = 0;
    const two = call(2, 1, () => ended++);
    two.abandon(new Error('too late'));
    two.appended(0, place, 1);
    two.failed(1, new Error('again'));
    expect(ended).to.equal(1);
    expect(await two.promise.catch((error: Error) => error.message)).to.equal('too late');
  });
});

describe('entry queue', () => {
  it('is first in, first out, and takes back at its front', () => {
    const owner = call(1_000_000);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('push'), fc.constant('shift'), fc.constant('back')), { maxLength: 200 }),
        (steps) => {
          const queue = new EntryQueue();
          let model: number[] = [];
          let next = 0;
          for (const step of steps) {
            if (step === 'push') {
              queue.push(owner, next);
              model.push(next++);
            } else if (step === 'shift' && model.length > 0) {
              expect(queue.firstIndex()).to.equal(model.shift());
              queue.shift();
            } else if (step === 'back') {
              const back = [next++, next++];
              queue.unshift([owner, owner], back);
              model = [...back, ...model];
            }
            expect(queue.length).to.equal(model.length);
          }
        },
      ),
    );
  });

  it('stays right through the moves of its memory', () => {
    const owner = call(1);
    const queue = new EntryQueue();
    for (let i = 0; i < 20_000; i++) queue.push(owner, i);
    for (let i = 0; i < 20_000; i++) {
      expect(queue.firstIndex()).to.equal(i);
      queue.shift();
    }
    expect(queue.firstCall()).to.equal(undefined);
  });
});

describe('deadlines', () => {
  const due = (milliseconds: number): AppendCall => new AppendCall([record], 1, Date.now() + milliseconds, () => {});

  it('come in the order of the calls, and not for those that have ended', async () => {
    const [first, second, third] = [due(5), due(5), due(30)];
    const expired: AppendCall[] = [];
    const last = new Promise<void>((resolve) => {
      const deadlines = new Deadlines((late) => {
        deadlines.drop(late);
        expired.push(late);
        if (late === third) resolve();
      });
      for (const each of [first, second, third]) deadlines.add(each);
      deadlines.drop(second);
    });
    await last;
    expect(expired).to.deep.equal([first, third]);
  });
});

describe('admission', () => {
  it('never lets more in flight than allowed, keeps the order, and gives all room back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { maxLength: 100 }), (steps) => {
        const admission = new Admission(100, 100);
        const entered: AppendCall[] = [];
        const order: AppendCall[] = [];
        const inFlight: AppendCall[] = [];
        for (const [bytes, leaveOne] of steps) {
          let admitted = true;
          try {
            admission.check(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(BackPressureError);
            admitted = false;
          }
          if (admitted) {
            const one = call(1, bytes);
            order.push(one);
            admission.admit(one, () => {
              entered.push(one);
              inFlight.push(one);
            });
          }
          if (leaveOne && inFlight.length > 0) admission.leave(inFlight.shift()!);
          expect(admission.bytesInFlight).to.equal(inFlight.reduce((sum, each) => sum + each.bytes, 0));
          expect(admission.bytesInFlight).to.be.at.most(100);
          expect(admission.bytesWaiting).to.be.at.most(100);
          expect(entered).to.deep.equal(order.slice(0, entered.length));
        }
        while (inFlight.length > 0) admission.leave(inFlight.shift()!);
        expect(entered).to.deep.equal(order);
        expect([admission.bytesInFlight, admission.bytesWaiting]).to.deep.equal([0, 0]);
      }),
    );
  });

  it('lets a call in alone that is larger than all that is allowed', () => {
    const admission = new Admission(100, 100);
    const [small, large] = [call(1, 10), call(1, 500)];
    let entered = false;
    admission.admit(small, () => {});
    admission.check(500);
    admission.admit(large, () => {
      entered = true;
    });
    expect(entered).to.equal(false);
    admission.leave(small);
    expect(entered).to.equal(true);
    expect(() => admission.check(1)).not.to.throw();
  });

  it('forgets a call that ends while it waits', () => {
    const admission = new Admission(100, 100);
    const [first, waiting] = [call(1, 100), call(1, 50)];
    admission.admit(first, () => {});
    admission.admit(waiting, () => {
      throw new Error('it has ended');
    });
    admission.leave(waiting);
    admission.leave(first);
    expect([admission.bytesInFlight, admission.bytesWaiting]).to.deep.equal([0, 0]);
  });
});

describe('what an answer calls for', () => {
  it('follows from its code', () => {
    expect(verdictOf(codes.NONE)).to.equal('appended');
    for (const code of [codes.NOT_LEADER_OR_FOLLOWER, codes.UNKNOWN_TOPIC_OR_PARTITION, codes.LEADER_NOT_AVAILABLE]) {
      expect(verdictOf(code)).to.equal('findLeader');
    }
    for (const code of [codes.NOT_ENOUGH_REPLICAS, codes.NOT_ENOUGH_REPLICAS_AFTER_APPEND, codes.REQUEST_TIMED_OUT]) {
      expect(verdictOf(code)).to.equal('again');
    }
    for (const code of [codes.OUT_OF_ORDER_SEQUENCE_NUMBER, codes.UNKNOWN_PRODUCER_ID, codes.INVALID_PRODUCER_EPOCH]) {
      expect(verdictOf(code)).to.equal('newProducer');
    }
    expect(verdictOf(codes.MESSAGE_TOO_LARGE)).to.equal('tooLarge');
    for (const code of [codes.TOPIC_AUTHORIZATION_FAILED, codes.INVALID_RECORD, 9_999]) {
      expect(verdictOf(code)).to.equal('refused');
    }
  });
});
