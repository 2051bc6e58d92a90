/** Where a broker listens and keeps its data, and which cluster it belongs to. */
export interface BrokerPlace {
  /** Unique in the cluster. */
  readonly nodeId: number;
  /** Port for clients, on 127.0.0.1. */
  readonly port: number;
  /** Port for the KRaft quorum, on 127.0.0.1. */
  readonly controllerPort: number;
  /** Absolute folder of the log segments. */
  readonly dataDir: string;
}

export type BrokerSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * What the project needs of any broker that it runs on, whatever its size: the limits on share groups.
 *
 * A group's own settings (lock, window, deliveries) may only lie within these. The delivery count is as high as a broker
 * takes, because every acquisition counts as one, also one that was handed back.
 */
export const shareGroupLimits: BrokerSettings = {
  'group.share.min.record.lock.duration.ms': 1_000,
  'group.share.max.record.lock.duration.ms': 3_600_000,
  'group.share.partition.max.record.locks': 10_000,
  'group.share.max.partition.max.record.locks': 10_000,
  'group.share.delivery.count.limit': 10,
};

/**
 * How many answered requests may lie where others wait for their answers, until they are cleared away. By default a thousand of
 * each kind: megabytes that young collections copy while the broker stands still (docs/decisions/0141).
 */
const fewAnsweredRequests: BrokerSettings = {
  'fetch.purgatory.purge.interval.requests': 50,
  'share.fetch.purgatory.purge.interval.requests': 50,
  'producer.purgatory.purge.interval.requests': 50,
};

/** Internal topics sized for one broker that shares its machine: one replica, few partitions. */
const oneBroker: BrokerSettings = {
  'default.replication.factor': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 8,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 8,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 8,
  // A fetch that carries accepts is answered when they are stored: to wait for more to store keeps the worker's free slots waiting.
  'share.coordinator.append.linger.ms': 0,
  'num.network.threads': 1,
  'num.io.threads': 2,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  'group.initial.rebalance.delay.ms': 0,
  // After a hard kill the broker cannot register again until its old session has expired. Its counterpart for a clean
  // stop is `controlled.shutdown.enable`, which stays on: without it every stop would cost the same wait.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
};

/** The settings of the embedded broker: broker and KRaft controller in one process, plain text on the loopback address. */
export function embeddedBrokerSettings({ nodeId, port, controllerPort, dataDir }: BrokerPlace): BrokerSettings {
  return {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': `${nodeId}@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDir,
    // Topics are made by those who define them (partitions, retention), never by a client that mistyped a name.
    'auto.create.topics.enable': false,
    ...oneBroker,
    ...fewAnsweredRequests,
    ...shareGroupLimits,
  };
}

/** The text of a `server.properties` file. */
export function toProperties(settings: BrokerSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}
