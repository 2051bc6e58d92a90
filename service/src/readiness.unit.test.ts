import { expect } from 'chai';
import { createReadiness } from './readiness.ts';

describe('createReadiness', () => {
  it('is not ready while a check fails, and says why', async () => {
    const readiness = createReadiness();
    const kafka = readiness.check('kafka');
    expect(await readiness.report()).to.deep.equal({
      status: 'not-ready',
      checks: { kafka: { state: 'failing', reason: 'starting' } },
    });
    kafka.ok();
    expect((await readiness.report()).status).to.equal('ready');
    kafka.failing('no broker answers');
    expect((await readiness.report()).checks.kafka).to.deep.equal({ state: 'failing', reason: 'no broker answers' });
  });

  it('is degraded, and ready, while nothing worse is the matter', async () => {
    const readiness = createReadiness();
    readiness.check('redis').degraded('away');
    readiness.check('kafka').ok();
    expect((await readiness.report()).status).to.equal('degraded');
  });

  it('asks probes at each report, and takes their error for a failure', async () => {
    const readiness = createReadiness();
    let fails = true;
    readiness.probe('postgres', async () => {
      if (fails) throw new Error('connection refused');
      return { state: 'ok' };
    });
    expect((await readiness.report()).checks.postgres).to.deep.equal({
      state: 'failing',
      reason: 'connection refused',
    });
    fails = false;
    expect((await readiness.report()).status).to.equal('ready');
  });

  it('has each name once', () => {
    const readiness = createReadiness();
    readiness.check('kafka');
    expect(() => readiness.check('kafka')).to.throw('declared twice');
  });
});
