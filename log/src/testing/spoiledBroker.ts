import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '@taskflow/embedded/broker';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import type { BrokerSettings } from '@taskflow/kafka/brokerSettings';
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './faultProxy.ts';

/**
 * A broker of a test's own that clients reach through a proxy only, so that both can be made to fail. What it says to itself
 * (a broker writes the state of share groups over a connection) goes by a listener of its own.
 */
export interface SpoiledBroker {
  readonly broker: Broker;
  readonly proxy: FaultProxy;
  close(): Promise<void>;
}

export async function startSpoiledBroker(
  extraProperties: BrokerSettings = {},
  proxyOptions: FaultProxyOptions = {},
): Promise<SpoiledBroker> {
  const [port, controllerPort, clientPort] = (await freePorts(3)) as [number, number, number];
  const stateDir = await mkdtemp(path.join(tmpdir(), 'taskflow-broker-'));
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: clientPort }, proxyOptions);
  const broker = await startBroker({
    stateDir,
    port,
    controllerPort,
    extraProperties: {
      listeners: `PLAINTEXT://127.0.0.1:${port},CLIENT://127.0.0.1:${clientPort},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},CLIENT://${proxy.address}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      ...extraProperties,
    },
  });
  return {
    broker,
    proxy,
    async close() {
      await proxy.close();
      await broker.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
