import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Broker, startBroker } from '@taskflow/embedded/broker';
import { freePorts } from '@taskflow/embedded/testing/freePorts';
import type { BrokerSettings } from '@taskflow/kafka/brokerSettings';

/** A cluster of two brokers; the first is the controller, too. */
export interface BrokerPair {
  readonly first: Broker;
  readonly second: Broker;
  close(): Promise<void>;
}

export async function startBrokerPair(extraProperties: BrokerSettings = {}): Promise<BrokerPair> {
  const [port, controllerPort, secondPort] = (await freePorts(3)) as [number, number, number];
  const folder = await mkdtemp(path.join(tmpdir(), 'taskflow-brokers-'));
  const first = await startBroker({
    stateDir: path.join(folder, '1'),
    port,
    controllerPort,
    nodeId: 1,
    extraProperties,
  });
  const second = await startBroker({
    stateDir: path.join(folder, '2'),
    port: secondPort,
    controllerPort,
    nodeId: 2,
    extraProperties: {
      ...extraProperties,
      'process.roles': 'broker',
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      listeners: `PLAINTEXT://127.0.0.1:${secondPort}`,
    },
  });
  return {
    first,
    second,
    async close() {
      await second.stop();
      await first.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
