import { expect } from 'chai';
import { embeddedBrokerSettings, toProperties } from './brokerSettings.ts';

describe('embeddedBrokerSettings', () => {
  const settings = embeddedBrokerSettings({ nodeId: 3, port: 1001, controllerPort: 1002, dataDir: '/data' });

  it('puts the broker on the loopback address', () => {
    expect(settings.listeners).to.equal('PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002');
    expect(settings['advertised.listeners']).to.equal('PLAINTEXT://127.0.0.1:1001');
    expect(settings['controller.quorum.voters']).to.equal('3@127.0.0.1:1002');
  });

  it('never turns the controlled shutdown off: each stop would wait for the session to expire', () => {
    expect(settings).not.to.have.property('controlled.shutdown.enable');
  });

  it('is written as a properties file', () => {
    expect(toProperties({ 'log.dirs': '/data', 'node.id': 3, windows: 'c:\\data' })).to.equal(
      'log.dirs=/data\nnode.id=3\nwindows=c:\\\\data\n',
    );
  });
});
