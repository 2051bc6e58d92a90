import type { AppendedPosition } from '@taskflow/log/appender';
import { BrokerUnavailableError, RecordTooLargeError } from '@taskflow/log/errors';
import { expect } from 'chai';
import { logHealth } from './logHealth.ts';

const positions: AppendedPosition[] = [{ topic: 't', partition: 0, offset: 1, appendedAt: 0 }];

describe('logHealth', () => {
  let failure: Error | undefined;
  let asked: number;
  let answers: boolean;
  const health = () =>
    logHealth(
      { append: () => (failure === undefined ? Promise.resolve(positions) : Promise.reject(failure)) },
      async () => {
        asked++;
        if (!answers) throw new Error('away');
      },
    );
  const appended = (log: ReturnType<typeof health>) =>
    log.append([]).then(
      () => 'appended',
      (error: Error) => error.name,
    );
  const answered = (log: ReturnType<typeof health>) =>
    log.ask().then(
      () => 'answers',
      (error: Error) => error.message,
    );
  beforeEach(() => {
    failure = undefined;
    asked = 0;
    answers = true;
  });

  it('asks where nothing was appended, and believes the answer for a while', async () => {
    const log = health();
    expect(await answered(log)).to.equal('answers');
    expect(await answered(log)).to.equal('answers');
    expect(asked).to.equal(1);
  });

  it('does not ask after an append', async () => {
    const log = health();
    answers = false;
    expect(await appended(log)).to.equal('appended');
    expect(await answered(log)).to.equal('answers');
    expect(asked).to.equal(0);
  });

  it('asks after an append that failed, each time until there is an answer', async () => {
    const log = health();
    await appended(log);
    failure = new BrokerUnavailableError('no answer');
    answers = false;
    expect(await appended(log)).to.equal('BrokerUnavailableError');
    expect([await answered(log), await answered(log)]).to.deep.equal(['away', 'away']);
    answers = true;
    expect(await answered(log)).to.equal('answers');
  });

  it('takes a record that is too large for no fault of the log', async () => {
    const log = health();
    await appended(log);
    failure = new RecordTooLargeError('t', 2, 1);
    expect(await appended(log)).to.equal('RecordTooLargeError');
    expect(await answered(log)).to.equal('answers');
    expect(asked).to.equal(0);
  });
});
