import { randomUUID } from 'node:crypto';
import { shareGroup } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { readConfigs, resourceType } from './configs.ts';
import type { KafkaError } from './errors.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { rejection } from './testing/rejection.ts';
import { ensureTopics, ensureTypeTopics, systemTopics, typeTopics } from './topics.ts';

const typeName = () => `t${randomUUID().replaceAll('-', '')}`;

describe('topics', () => {
  let fixture: LogFixture;
  before(async () => {
    fixture = await logFixture();
  });
  after(() => fixture?.close());

  const config = async (topic: string) => (await readConfigs(fixture.cluster, resourceType.topic, [topic])).get(topic)!;

  it('of a type are created by several workers at once, with leaders, and its groups configured', async () => {
    const type = typeName();
    const clusters = await Promise.all([1, 2, 3].map(() => fixture.connect()));
    await Promise.all(clusters.map((cluster) => ensureTypeTopics(cluster, type)));
    for (const cluster of clusters) {
      for (const { name, partitions } of typeTopics(type)) {
        const topic = await cluster.topic(name);
        expect(topic.partitions.map(({ leader }) => leader))
          .to.have.length(partitions)
          .and.not.include(-1);
      }
    }
    const events = await config(`taskflow.events.${type}.high`);
    expect(events.get('message.timestamp.type')).to.equal('LogAppendTime');
    expect(events.get('retention.ms')).to.equal('-1');
    const groups = ['high', 'normal', 'low'].map((priority) => shareGroup(type, priority));
    for (const values of (await readConfigs(fixture.cluster, resourceType.group, groups)).values()) {
      expect(values.get('share.auto.offset.reset')).to.equal('earliest');
      expect(values.get('share.record.lock.duration.ms')).to.equal('15000');
      expect(values.get('share.delivery.count.limit')).to.equal('10');
    }
  });

  it('get more partitions and other settings, never fewer partitions', async () => {
    const type = typeName();
    await ensureTypeTopics(fixture.cluster, type);
    await ensureTypeTopics(fixture.cluster, type, { eventsPartitions: 5, queuePartitions: 2, retentionMs: 86_400_000 });
    await ensureTypeTopics(fixture.cluster, type, { eventsPartitions: 4, retentionMs: 86_400_000 });
    const events = `taskflow.events.${type}.low`;
    expect((await fixture.cluster.topic(events)).partitions).to.have.length(5);
    expect((await fixture.cluster.topic(`taskflow.queue.${type}.low`)).partitions).to.have.length(2);
    expect((await config(events)).get('retention.ms')).to.equal('86400000');
  });

  it('keep group settings within what the broker allows', async () => {
    const type = typeName();
    await ensureTypeTopics(fixture.cluster, type, { lockMs: 1, deliveryLimit: 1_000, maxLocks: 1_000_000 });
    const group = shareGroup(type, 'high');
    const values = (await readConfigs(fixture.cluster, resourceType.group, [group])).get(group)!;
    const broker = String(fixture.cluster.brokerIds[0]);
    const allowed = (await readConfigs(fixture.cluster, resourceType.broker, [broker])).get(broker)!;
    expect(values.get('share.record.lock.duration.ms')).to.equal(
      allowed.get('group.share.min.record.lock.duration.ms'),
    );
    expect(values.get('share.delivery.count.limit')).to.equal(allowed.get('group.share.max.delivery.count.limit'));
    expect(values.get('share.partition.max.record.locks')).to.equal(
      allowed.get('group.share.max.partition.max.record.locks'),
    );
  });

  it('of the system are defined once', async () => {
    const definitions = systemTopics();
    expect(new Set(definitions.map(({ name }) => name)).size).to.equal(definitions.length);
    await ensureTopics(fixture.cluster, definitions);
    await ensureTopics(fixture.cluster, definitions);
    expect((await config('taskflow.control')).get('cleanup.policy')).to.equal('compact');
  });

  it('that the cluster cannot hold are refused with the reason', async () => {
    const name = `test.${randomUUID()}`;
    const error = (await rejection(
      ensureTopics(fixture.cluster, [{ name, partitions: 1, replicationFactor: 9, config: {} }]),
    )) as KafkaError;
    expect(error.name).to.equal('INVALID_REPLICATION_FACTOR');
    expect(error.message).to.include(name).and.include('replication factor of 9');
    const wrong = await rejection(
      ensureTopics(fixture.cluster, [{ name, partitions: 1, replicationFactor: 1, config: { 'retention.ms': 'x' } }]),
    );
    expect(wrong.message).to.include('retention.ms');
  });
});
