import { protocolDefaults } from '@taskflow/core/protocolValues';
import { ConfigError, readConfig } from '@taskflow/service/config';
import { expect } from 'chai';
import { protocolOf } from './protocolSettings.ts';
import { selectTypes, slotsOf } from './selectTypes.ts';
import { settings } from './settings.ts';
import { sampleTask } from './testing/testWorker.ts';

const read = (environment: Record<string, string>) => readConfig(settings, environment);
const definition = (type: string, parts: { slots?: number; testOnly?: boolean } = {}) => ({
  ...sampleTask(() => null),
  type,
  ...parts,
});

describe('what a worker reads from its environment', () => {
  it('has a default for everything', () => {
    const config = read({});
    expect(config).to.deep.include({
      workerName: 'worker',
      taskTypes: [],
      testTypes: true,
      graceMs: 10_000,
      lockRenewMs: 5_000,
      retentionMs: -1,
    });
    expect(config.fetchAllow.allowsAddress('127.0.0.1', 80)).to.equal(false);
  });

  it('takes slots for every type and for single ones', () => {
    const { slots } = read({ TASKFLOW_SLOTS: '8, big=2' });
    expect(slotsOf(definition('big', { slots: 100 }), slots)).to.equal(2);
    expect(slotsOf(definition('other', { slots: 100 }), slots)).to.equal(8);
    const byDefault = read({}).slots;
    expect(slotsOf(definition('own', { slots: 100 }), byDefault)).to.equal(100);
    expect(slotsOf(definition('none'), byDefault)).to.equal(64);
  });

  it('follows the protocol as it is written, or as it is told', () => {
    expect(protocolOf(read({}))).to.deep.equal(protocolDefaults);
    const told = protocolOf(read({ TASKFLOW_LOCK_RENEW_MS: '1000', TASKFLOW_LOOK_AGAIN_AFTER_RESTART_MS: '7' }));
    expect(told).to.include({ renewEveryMs: 1_000, lockMs: 3_000, lookAgainAfterForgottenMs: 7, leaseMs: 30_000 });
  });

  for (const [variable, value] of [
    ['TASKFLOW_SLOTS', 'many'],
    ['TASKFLOW_SLOTS', '0'],
    ['TASKFLOW_SLOTS', 'noop='],
    ['TASKFLOW_FETCH_ALLOW', '10.0.0.0/99'],
    ['TASKFLOW_WORKER_NAME', 'a.b'],
    ['TASKFLOW_TEST_TYPES', 'yes'],
    ['TASKFLOW_LOCK_RENEW_MS', '5s'],
    ['TASKFLOW_HAND_OVER_AFTER_MS', '0'],
    ['TASKFLOW_GIVE_BACK_AT_DELIVERY', '10'],
    ['TASKFLOW_MAX_STARTS', '0'],
    ['TASKFLOW_STUCK_EXIT_MS', '-1'],
  ] as const) {
    it(`refuses ${variable}=${value}, naming the variable`, () => {
      expect(() => read({ [variable]: value })).to.throw(ConfigError, variable);
    });
  }
});

describe('the types that a worker runs', () => {
  const all = [definition('noop', { testOnly: true }), definition('web_scrape')];
  const names = (config: { taskTypes: string[]; testTypes: boolean }) =>
    selectTypes(all, config).map(({ type }) => type);

  it('are all of them, without those for tests where they are switched off', () => {
    expect(names({ taskTypes: [], testTypes: true })).to.deep.equal(['noop', 'web_scrape']);
    expect(names({ taskTypes: [], testTypes: false })).to.deep.equal(['web_scrape']);
  });
  it('or those asked for', () => {
    expect(names({ taskTypes: ['noop'], testTypes: true })).to.deep.equal(['noop']);
    expect(() => names({ taskTypes: ['no_such'], testTypes: true })).to.throw(ConfigError, 'no_such');
    expect(() => names({ taskTypes: ['noop'], testTypes: false })).to.throw(ConfigError, 'noop');
  });
});
