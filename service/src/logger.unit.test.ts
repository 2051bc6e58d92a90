import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLogger, type LogLevel } from './logger.ts';

function capture(level: LogLevel) {
  const stream = new PassThrough();
  const logger = createLogger({ service: 'api', level, stream });
  const lines = () => {
    const text = (stream.read() as Buffer | null)?.toString() ?? '';
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { logger, lines };
}

describe('createLogger', () => {
  it('writes one JSON object a line, with the fields of the logger and of its parents', () => {
    const { logger, lines } = capture('info');
    logger.child({ requestId: 'r1' }).child({ taskId: 't1' }).info('Accepted', { type: 'noop' });
    const [line] = lines();
    expect(line).to.include({
      level: 'info',
      service: 'api',
      message: 'Accepted',
      requestId: 'r1',
      taskId: 't1',
      type: 'noop',
    });
    expect(Date.parse(line?.time as string)).to.be.a('number').and.not.NaN;
  });

  it('writes what an error is, and why it came', () => {
    const { logger, lines } = capture('info');
    const error = Object.assign(new Error('no', { cause: new Error('first') }), { code: 'ECONNREFUSED' });
    logger.error('Failed', { error });
    const [line] = lines();
    expect(line?.error).to.deep.include({ name: 'Error', message: 'no', code: 'ECONNREFUSED' });
    expect(line).to.have.nested.property('error.cause.message', 'first');
    expect(line).to.have.nested.property('error.stack').that.includes('logger.unit.test');
  });

  it('drops what is less severe than its level, in children too', () => {
    const { logger, lines } = capture('warn');
    logger.info('no');
    logger.child({ taskId: 't' }).debug('no');
    logger.warn('yes');
    expect(lines().map((line) => line.message)).to.deep.equal(['yes']);
    expect(logger.enabled('info')).to.equal(false);
    expect(logger.enabled('error')).to.equal(true);
  });

  it('survives a field that cannot be written as JSON', () => {
    const { logger, lines } = capture('info');
    const circular: Record<string, unknown> = { big: 1n };
    circular.self = circular;
    logger.info('Odd', { circular });
    expect(lines()[0]).to.include({ message: 'Odd', fields: 'not serialisable' });
  });
});
