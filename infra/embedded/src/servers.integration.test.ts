import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { mongoDatabase, startMongo } from './mongo.ts';
import { databaseUrl, startPostgres, withClient } from './postgres.ts';
import { askPort } from './process/probe.ts';
import { temporaryState } from './process/temporaryState.ts';
import { startRedis } from './redis.ts';
import { startRegistry } from './registry.ts';
import { startS3 } from './s3.ts';
import type { Server } from './server.ts';
import { freePorts } from './testing/freePorts.ts';

describe('the embedded servers', function () {
  // The registry takes seconds to start, on a busy machine many.
  this.timeout(240_000);
  let folder: string;
  const cleanUps: (() => Promise<void>)[] = [];
  before(async () => {
    const state = await temporaryState();
    cleanUps.push(() => state.remove());
    folder = state.folder;
  });
  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  const kept = <S extends Server>(server: S): S => {
    cleanUps.push(() => server.stop());
    return server;
  };
  const postgres = async () => {
    const [port] = await freePorts(1);
    const url = `postgres://someone:p%40ss@127.0.0.1:${port}/things`;
    return kept(await startPostgres({ stateDir: `${folder}/postgres`, url, databases: [mongoDatabase], fsync: false }));
  };

  it('PostgreSQL makes the database, and keeps its data over a kill and a stop', async () => {
    const server = await postgres();
    await withClient(server.url, (client) => client.query('create table kept (value text)'));
    for (const end of ['kill', 'stop'] as const) {
      await withClient(server.url, (client) => client.query('insert into kept values ($1)', [`before ${end}`]));
      await server[end]();
      await server.start();
    }
    const { rows } = await withClient(server.url, (client) => client.query('select value from kept order by 1'));
    expect(rows).to.deep.equal([{ value: 'before kill' }, { value: 'before stop' }]);
    await server.stop();
  });

  it('PostgreSQL lets nobody in without the password', async () => {
    const server = await postgres();
    const url = new URL(server.url);
    url.password = 'guess';
    const error = await withClient(url.href, (client) => client.query('select 1')).catch((reason: Error) => reason);
    expect(error).to.have.property('code', '28P01');
    await server.stop();
  });

  it('the registry keeps its schemas over a kill, and checks compatibility from the beginning', async () => {
    const [port = 0] = await freePorts(1);
    const registry = kept(await startRegistry({ stateDir: `${folder}/registry`, port }));
    const register = async (field: object) => {
      const schema = JSON.stringify({ type: 'record', name: 'Kept', fields: [field] });
      const response = await fetch(`${registry.url}/subjects/Kept/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema }),
      });
      return { status: response.status, body: (await response.json()) as { id: number } };
    };
    const { body } = await register({ name: 'text', type: 'string' });
    await registry.kill();
    await registry.start();
    expect(await register({ name: 'text', type: 'string' })).to.deep.equal({ status: 200, body: { id: body.id } });
    expect((await register({ name: 'added', type: 'string' })).status).to.equal(409);
    await registry.stop();
  });

  it('Redis keeps its data over an orderly stop', async () => {
    const [port = 0] = await freePorts(1);
    const redis = kept(await startRedis({ stateDir: `${folder}/redis`, port }));
    const ask = async (command: string) =>
      String(await askPort(port, Buffer.from(`${command}\r\n`), (answer) => answer.toString().endsWith('\r\n')));
    await ask('SET kept here');
    await redis.stop();
    await redis.start();
    expect(await ask('STRLEN kept')).to.equal(':4\r\n');
    await redis.stop();
  });

  it('the S3 server has its bucket, keeps what it was given over a kill, and takes nothing without the key', async () => {
    const [port = 0] = await freePorts(1);
    const account = { bucket: 'things', region: 'us-east-1', accessKey: 'someone', secretKey: 'p@ss+word/' };
    const s3 = kept(await startS3({ stateDir: `${folder}/s3`, port, ...account }));
    const clientWith = (secretAccessKey: string) =>
      new S3Client({
        endpoint: s3.url,
        region: account.region,
        forcePathStyle: true,
        credentials: { accessKeyId: account.accessKey, secretAccessKey },
      });
    const place = { Bucket: 'things', Key: '2026-12-03/one/two' };
    const client = clientWith(account.secretKey);
    await client.send(new PutObjectCommand({ ...place, Body: 'kept', ContentType: 'text/x-kept' }));
    await s3.kill();
    await s3.start();
    const { Body, ContentType } = await client.send(new GetObjectCommand(place));
    expect([await Body?.transformToString(), ContentType]).to.deep.equal(['kept', 'text/x-kept']);
    const missing = client.send(new GetObjectCommand({ ...place, Key: 'missing' }));
    expect(await missing.catch((error: Error) => error)).to.be.instanceOf(NoSuchKey);
    const guessed = clientWith('guess').send(new GetObjectCommand(place));
    expect(await guessed.catch((error: Error) => error)).to.have.property('name', 'SignatureDoesNotMatch');
    await s3.stop();
  });

  it('the MongoDB-wire server keeps its data, and finds equal fields by index', async () => {
    const database = await postgres();
    const [port = 0] = await freePorts(1);
    const mongo = kept(await startMongo({ stateDir: `${folder}/mongo`, port, postgresUrl: database.url }));
    const withThings = async <T>(use: (client: MongoClient) => Promise<T>): Promise<T> => {
      const client = await MongoClient.connect(mongo.url);
      return use(client).finally(() => client.close());
    };
    await withThings(async (client) => {
      const things = client.db('things').collection<{ _id: string; owner: string }>('kept');
      await things.createIndex({ owner: 1 });
      await things.insertMany(
        Array.from({ length: 3_000 }, (_, n) => ({ _id: `id-${n}`, owner: `owner-${n % 1_000}` })),
      );
    });
    await mongo.kill();
    await mongo.start();
    const found = await withThings((client) =>
      client.db('things').collection<{ _id: string }>('kept').find({ owner: 'owner-7' }).toArray(),
    );
    expect(found.map(({ _id }) => _id).sort()).to.deep.equal(['id-1007', 'id-2007', 'id-7']);

    // What FerretDB asks PostgreSQL for these look-ups.
    const plans = await withClient(databaseUrl(database.url, mongoDatabase), async (client) => {
      const { rows } = await client.query(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'things' and tablename like 'kept%'`,
      );
      await client.query(`vacuum analyze ${rows[0].name}`);
      const plan = async (condition: string) => {
        const explained = await client.query(`explain select _jsonb from ${rows[0].name} where ${condition}`);
        return explained.rows.map((row) => row['QUERY PLAN']).join('\n');
      };
      return [await plan(`_jsonb->'_id' @> '"id-7"'`), await plan(`_jsonb->'owner' @> '"owner-7"'`)];
    });
    for (const plan of plans) expect(plan).to.include('Bitmap Index Scan').and.not.include('Seq Scan');
    await mongo.stop();
    await database.stop();
  });
});
