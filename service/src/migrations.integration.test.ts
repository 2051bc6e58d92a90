import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { MigrationError, migrate } from './migrations.ts';
import type { Pool } from './postgres.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';

describe('migrate', () => {
  let database: TestDatabase;
  let pool: Pool;
  let directory: string;
  const write = (file: string, sql: string) => writeFile(path.join(directory, file), sql);
  const run = (...owners: string[]) =>
    migrate({ url: database.url, owners: owners.map((owner) => ({ owner, directory })) });
  const rejection = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it was not refused'),
      (error: Error) => error,
    );

  beforeEach(async () => {
    database = await createTestDatabase([]);
    pool = database.pool();
    directory = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  });
  afterEach(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  it('applies files in the order of their names, once', async () => {
    await write('002-b.sql', 'insert into a values (2)');
    await write('001-a.sql', 'create table a (n int); insert into a values (1);');
    expect(await run('api')).to.deep.equal(['api/001-a.sql', 'api/002-b.sql']);
    expect(await run('api')).to.deep.equal([]);
    await write('003-c.sql', 'insert into a values (3)');
    expect(await run('api')).to.deep.equal(['api/003-c.sql']);
    expect((await pool.query('select n from a order by n')).rows).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('keeps owners apart, also those that a process does not know', async () => {
    await write('001-a.sql', 'create table if not exists a (n int)');
    await run('service', 'api');
    expect(await run('projector')).to.deep.equal(['projector/001-a.sql']);
  });

  it('takes a question mark for what it is', async () => {
    await write('001-a.sql', `create table a as select '{"k":1}'::jsonb ? 'k' as has, '?' as mark`);
    await run('api');
    expect((await pool.query('select * from a')).rows).to.deep.equal([{ has: true, mark: '?' }]);
  });

  it('leaves nothing of a file that fails, and keeps those before it', async () => {
    await write('001-a.sql', 'create table a (n int)');
    await write('002-b.sql', 'create table b (n int); select no_such_function();');
    expect((await rejection(run('api'))).message).to.include('no_such_function');
    const { rows } = await pool.query(`select to_regclass('a') as a, to_regclass('b') as b`);
    expect(rows).to.deep.equal([{ a: 'a', b: null }]);
    await write('002-b.sql', 'create table b (n int)');
    expect(await run('api')).to.deep.equal(['api/002-b.sql']);
  });

  it('refuses a file that was changed after it was applied', async () => {
    await write('001-a.sql', 'create table a (n int)');
    await run('api');
    await write('001-a.sql', 'create table a (n bigint)');
    const error = await rejection(run('api'));
    expect(error).to.be.instanceOf(MigrationError);
    expect(error.message).to.include('api/001-a.sql was changed after it was applied');
  });

  it('refuses a file whose name gives no order', async () => {
    await write('a.sql', 'select 1');
    expect((await rejection(run('api'))).message).to.include('a.sql: name it NNN-what-it-does.sql');
  });

  it('lets one of several at once do the work', async () => {
    await write('001-a.sql', 'create table a (n int)');
    const applied = await Promise.all([run('api'), run('api'), run('api')]);
    expect(applied.flat()).to.deep.equal(['api/001-a.sql']);
  });

  it('applies what the packages of this project have', async () => {
    const own = await createTestDatabase(['service', 'projector']);
    const { rows } = await own
      .pool()
      .query(`select to_regclass('tasks') as tasks, to_regclass('consumer_positions') as positions`);
    await own.drop();
    expect(rows).to.deep.equal([{ tasks: 'tasks', positions: 'consumer_positions' }]);
  });
});
