import { spawn } from 'node:child_process';
import path from 'node:path';
import { connectCluster } from '@taskflow/log/cluster';
import { systemTopics } from '@taskflow/log/topics';
import { recordNames } from '@taskflow/schemas/registered';
import { expect } from 'chai';

/** Runs the program; gives its exit code and what it said. */
function setUp(environment: Record<string, string> = {}): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const main = path.join(import.meta.dirname, 'setUp.ts');
    const child = spawn(process.execPath, ['--conditions=taskflow-source', main], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('close', (code) => resolve({ code, said }));
  });
}

describe('setUp', () => {
  it('creates the topics and publishes the schemas, however often it runs', async () => {
    expect(await setUp()).to.deep.equal({ code: 0, said: '' });
    expect(await setUp()).to.deep.equal({ code: 0, said: '' });

    const cluster = await connectCluster({ brokers: process.env.TASKFLOW_KAFKA_BROKERS!.split(','), clientId: 'test' });
    const admin = cluster.kafkajs.admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    await cluster.close();
    expect(topics).to.include.members(systemTopics().map(({ name }) => name));

    const subjects = await (await fetch(`${process.env.TASKFLOW_REGISTRY_URL}/subjects`)).json();
    expect(subjects).to.have.length.at.least(recordNames.length);
  });

  it('ends with one line about a wrong value', async () => {
    expect(await setUp({ TASKFLOW_REPLICATION_FACTOR: 'three' })).to.deep.equal({
      code: 1,
      said: 'Kafka could not be set up: TASKFLOW_REPLICATION_FACTOR must be a whole number from 1 to 99, not three\n',
    });
  });
});
