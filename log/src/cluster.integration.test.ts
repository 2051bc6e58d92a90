import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { connectCluster } from './cluster.ts';
import { AuthenticationError, BrokerUnavailableError, ClosedError, ConnectionError } from './errors.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { testBrokers } from './testing/queueFixture.ts';
import { rejection } from './testing/rejection.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';
import { metadata } from './wire/messages/metadata.ts';

describe('cluster', () => {
  it('finds its brokers from any that answers', async () => {
    const cluster = await connectCluster({ brokers: ['127.0.0.1:1', ...testBrokers()], clientId: 'test' });
    expect(cluster.brokerIds).not.to.have.length(0);
    await cluster.close();
  });

  it('says which brokers did not answer, and why', async () => {
    const error = await rejection(connectCluster({ brokers: ['127.0.0.1:1'], clientId: 'test', startTimeoutMs: 200 }));
    expect(error).to.be.instanceOf(BrokerUnavailableError);
    expect(error.message).to.include('127.0.0.1:1').and.include('ECONNREFUSED');
  });

  it('does not take something else for a broker', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const error = await rejection(
      connectCluster({ brokers: [`127.0.0.1:${port}`], clientId: 'test', startTimeoutMs: 200 }),
    );
    expect(error.message).to.include('is this a Kafka listener');
    await new Promise((resolve) => server.close(resolve));
  });

  it('does not wait for ever for one that accepts and says nothing', async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const brokers = [`127.0.0.1:${port}`, ...testBrokers()];
    const cluster = await connectCluster({ brokers, clientId: 'test', connectTimeoutMs: 300 });
    expect(sockets).to.have.length(1);
    await cluster.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('ends with it what clients of kafkajs have left open', async () => {
    const open = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = open();
    const cluster = await connectCluster({ brokers: testBrokers(), clientId: 'test' });
    await cluster.kafkajs.producer().connect();
    expect(open()).to.be.above(before);
    await cluster.close();
    while (open() > before) await nextTick();
  });

  it('rejects what is asked of it once it is closed', async () => {
    const cluster = await connectCluster({ brokers: testBrokers(), clientId: 'test' });
    const connection = await cluster.openConnection('any');
    await cluster.close();
    expect(connection.isClosed).to.equal(true);
    expect(await rejection(cluster.refresh([]))).to.be.instanceOf(ClosedError);
  });
});

describe('connection', function () {
  this.timeout(120_000);
  let spoiled: SpoiledBroker;
  let fixture: LogFixture;
  before(async () => {
    spoiled = await startSpoiledBroker();
    fixture = await logFixture([spoiled.proxy.address]);
  });
  afterEach(() => spoiled.proxy.heal());
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  it('rejects all that was asked on it when it is cut, and says so to whoever watches', async () => {
    const connection = await fixture.cluster.openConnection('any');
    const { struck } = spoiled.proxy.inject({ fault: 'swallowResponse', apiKey: 3, times: 2 });
    const asked = [1, 2].map(() => rejection(connection.send(metadata([]))));
    await struck;
    spoiled.proxy.cutAll();
    for (const error of await Promise.all(asked)) expect(error).to.be.instanceOf(ConnectionError);
    expect(await connection.whenClosed).to.be.instanceOf(ConnectionError);
    expect(await rejection(connection.send(metadata([])))).to.be.instanceOf(ConnectionError);
  });

  it('is closed when an answer is overdue: what comes later could belong to anything', async () => {
    const impatient = await fixture.connect({ requestTimeoutMs: 300 });
    const connection = await impatient.openConnection('any');
    spoiled.proxy.inject({ fault: 'swallowResponse', apiKey: 3 });
    const error = await rejection(connection.send(metadata([])));
    expect(error).to.be.instanceOf(ConnectionError);
    expect(error.message).to.include('Metadata was not answered within 300 ms');
    expect(connection.isClosed).to.equal(true);
  });

  it('leaves nothing open at the broker when it is closed', async () => {
    const cluster = await fixture.connect();
    await Promise.all([1, 2, 3].map(() => cluster.openConnection('any')));
    const before = spoiled.proxy.connections;
    await cluster.close();
    while (spoiled.proxy.connections > before - 4) await nextTick();
  });
});

describe('connection with TLS and SASL', function () {
  this.timeout(120_000);
  const run = promisify(execFile);
  const login = { mechanism: 'plain' as const, username: 'taskflow', password: 'secret' };
  let folder: string;
  let certificate: string;
  let spoiled: SpoiledBroker;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'taskflow-tls-'));
    const store = path.join(folder, 'broker.p12');
    const key = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', 'changeit', '-alias', 'broker'];
    const made = [
      '-keyalg',
      'EC',
      '-dname',
      'CN=localhost',
      '-ext',
      'san=ip:127.0.0.1,dns:localhost',
      '-validity',
      '2',
    ];
    await run('keytool', ['-genkeypair', ...key, ...made]);
    await run('keytool', ['-exportcert', '-rfc', ...key, '-file', path.join(folder, 'broker.pem')]);
    certificate = await readFile(path.join(folder, 'broker.pem'), 'utf8');
    const properties = {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT',
      'listener.name.client.ssl.keystore.location': store,
      'listener.name.client.ssl.keystore.type': 'PKCS12',
      'listener.name.client.ssl.keystore.password': 'changeit',
      'listener.name.client.ssl.key.password': 'changeit',
      'listener.name.client.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.client.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_taskflow="secret";',
      // A session ends after this time, unless its client authenticates anew (KIP-368).
      'listener.name.client.plain.connections.max.reauth.ms': 12_000,
    };
    spoiled = await startSpoiledBroker(properties, { opaque: true });
  });
  after(async () => {
    await spoiled?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('works, and authenticates anew before its session ends', async () => {
    const fixture = await logFixture([spoiled.proxy.address], { ssl: { ca: certificate }, sasl: login });
    const topic = await fixture.topic();
    const appender = fixture.appender();
    const startedAt = performance.now();
    // The session ends within 12 s; kafkajs renews it 10 s before.
    for (let i = 0; performance.now() - startedAt < 13_000; i++) {
      await appender.append([{ topic, partition: 0, key: null, value: Buffer.from(String(i)) }]);
      await nextTick();
    }
    expect(appender.stats.retries).to.equal(0);
    await fixture.close();
  });

  it('refuses wrong credentials and an unknown certificate', async () => {
    const brokers = [spoiled.proxy.address];
    const sasl = { ...login, password: 'wrong' };
    const wrong = await rejection(connectCluster({ brokers, clientId: 'test', ssl: { ca: certificate }, sasl }));
    expect(wrong).to.be.instanceOf(AuthenticationError);
    const unknown = await rejection(
      connectCluster({ brokers, clientId: 'test', ssl: true, sasl: login, startTimeoutMs: 200 }),
    );
    expect(unknown).to.be.instanceOf(BrokerUnavailableError);
    expect(unknown.message).to.include('self-signed certificate');
  });
});
