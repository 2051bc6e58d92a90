import { expect } from 'chai';
import { silentLogger } from './logger.ts';
import { connectRedis, type RedisConnection } from './redis.ts';
import { publishTaskChanges, subscribeTaskChanges, TASK_CHANGES_CHANNEL, type TaskChange } from './taskChanges.ts';

describe('task changes over Redis', () => {
  const connections: RedisConnection[] = [];
  const connect = (url = process.env.TASKFLOW_REDIS_URL!) => {
    const connection = connectRedis({ url, logger: silentLogger, name: 'test' });
    connections.push(connection);
    return connection;
  };
  const ready = async (connection: RedisConnection) => {
    if (!connection.isUp()) await new Promise<void>((resolve) => connection.client.once('ready', () => resolve()));
  };
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.stop();
  });

  it('arrive as they were published, and what others publish there is ignored', async () => {
    const [publisher, subscriber] = [connect(), connect()];
    const received: TaskChange[][] = [];
    const both = new Promise<void>((resolve) => {
      subscribeTaskChanges(subscriber.client, (readChanges) => {
        received.push([...readChanges()]);
        if (received.length === 3) resolve();
      });
    });
    await Promise.all([ready(publisher), ready(subscriber)]);
    await subscriber.client.subscribe(TASK_CHANGES_CHANNEL);
    await publishTaskChanges(publisher.client, [
      ['0190a0a0-1111-7222-8333-0123456789af', 6, 'running'],
      ['0190a0a0-1111-7222-8333-0123456789b0', 4194304, 'success'],
    ]);
    await publisher.client.publish(TASK_CHANGES_CHANNEL, 'not JSON');
    await publishTaskChanges(publisher.client, [['0190a0a0-1111-7222-8333-0123456789af', 4194304, 'failed']]);
    await both;
    expect(received).to.deep.equal([
      [
        ['0190a0a0-1111-7222-8333-0123456789af', 6, 'running'],
        ['0190a0a0-1111-7222-8333-0123456789b0', 4194304, 'success'],
      ],
      [],
      [['0190a0a0-1111-7222-8333-0123456789af', 4194304, 'failed']],
    ]);
  });

  it('comes back after the connection was cut', async () => {
    const [publisher, subscriber] = [connect(), connect()];
    await Promise.all([ready(publisher), ready(subscriber)]);
    const received = new Promise<readonly TaskChange[]>((resolve) => {
      subscribeTaskChanges(subscriber.client, (readChanges) => resolve(readChanges()));
    });
    const id = await subscriber.client.client('ID').catch(() => undefined);
    const again = new Promise<void>((resolve) => subscriber.client.once('ready', () => resolve()));
    if (id === undefined) subscriber.client.disconnect(true);
    else await publisher.client.client('KILL', 'ID', id);
    await again;
    await subscriber.client.subscribe(TASK_CHANGES_CHANNEL);
    await publishTaskChanges(publisher.client, [['0190a0a0-1111-7222-8333-0123456789af', 6, 'running']]);
    expect(await received).to.have.lengthOf(1);
  });

  it('neither hang nor throw while Redis is away', async () => {
    const away = connect('redis://127.0.0.1:1');
    await new Promise<void>((resolve) => away.client.once('close', () => resolve()));
    expect(away.isUp()).to.equal(false);
    await publishTaskChanges(away.client, [['0190a0a0-1111-7222-8333-0123456789af', 6, 'running']]);
    const error = await away.client.get('key').then(
      () => expect.fail('it answered'),
      (reason: Error) => reason,
    );
    expect(error).to.be.instanceOf(Error);
  });
});
