import {
  BackPressureError,
  BrokerUnavailableError,
  PartialAppendError,
  RecordTooLargeError,
} from '@taskflow/log/errors';
import { expect } from 'chai';
import { queued } from '../testing/events.ts';
import { appendProblem, partlyAccepted } from './appendProblems.ts';

const events = Array.from({ length: 200 }, () =>
  queued({ userId: '11111111-1111-4111-8111-111111111111', type: 'noop' }),
);
const idOf = (index: number) => events[index]?.taskId;
const position = { topic: 'taskflow.queue.noop.normal', partition: 0, offset: 7, appendedAt: 0 };

describe('what a caller is told when the log did not take a task', () => {
  for (const [what, error, kind, retryAfter] of [
    ['no answer in time', new BrokerUnavailableError('away'), 'log-unavailable', '2'],
    ['too much at once', new BackPressureError('full'), 'overloaded', '1'],
    ['a record over the limit', new RecordTooLargeError('t', 2, 1), 'body-too-large', undefined],
    ['anything else', new Error('?'), 'log-unavailable', '2'],
  ] as const) {
    it(`${what}: ${kind}`, () => {
      const problem = appendProblem(error);
      expect(problem.kind).to.equal(kind);
      expect(problem.headers['Retry-After']).to.equal(retryAfter);
      expect(problem.cause).to.equal(error);
    });
  }

  it('of a batch of which the log took a part: which tasks it took, and why not the others', () => {
    const away = new BrokerUnavailableError('no answer');
    const error = new PartialAppendError([position, away, position], away);
    const problem = partlyAccepted(error, events.slice(0, 3));
    expect(problem).to.include({ kind: 'partly-accepted', status: 503 });
    expect(problem?.headers['Retry-After']).to.equal('2');
    expect(problem?.extensions).to.deep.equal({
      accepted: [
        { index: 0, id: idOf(0) },
        { index: 2, id: idOf(2) },
      ],
    });
    expect(problem?.errors).to.deep.equal([{ path: 'tasks[1]', message: 'no answer' }]);
  });

  it('names every task that was taken, and a bounded number of the others', () => {
    const away = new BrokerUnavailableError('no answer');
    const outcomes = events.map((_, index) => (index < 50 ? position : away));
    const problem = partlyAccepted(new PartialAppendError(outcomes, away), events);
    expect(problem?.extensions?.accepted).to.have.length(50);
    expect(problem?.errors).to.have.length(100);
  });

  it('has nothing to do with an error of the whole', () => {
    expect(partlyAccepted(new BrokerUnavailableError('away'), events)).to.equal(undefined);
  });
});
