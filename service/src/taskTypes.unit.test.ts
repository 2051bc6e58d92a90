import type { LogRecord } from '@taskflow/log/logRecord';
import { createCodec } from '@taskflow/schemas/codec';
import { recordNames, type TaskTypeRegistered } from '@taskflow/schemas/events';
import { typesTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { silentLogger } from './logger.ts';
import { TaskTypeCatalogue } from './taskTypes.ts';

const codec = createCodec(new Map(recordNames.map((name, index) => [name, index + 1])));

function registration(type: string, version: number): TaskTypeRegistered {
  return {
    event: 'TaskTypeRegistered',
    type,
    version,
    runtime: 'typescript',
    payloadSchema: '{}',
    resultSchema: '{}',
    resultStorage: 'inline',
    takeover: 'now',
    maxAttempts: 3,
    backoffBaseMs: 1_000,
    backoffFactor: 2,
    backoffCapMs: 300_000,
    notRetryable: [],
    timeoutMs: 30_000,
    priority: 'normal',
    workerId: 'worker-1.1.a',
    eventId: '01999999-1000-7000-8000-000000000001',
    occurredAt: 0,
  };
}

function record(key: string, value: Buffer | null): LogRecord {
  return { topic: typesTopic, partition: 0, offset: 0, key: Buffer.from(key), value, appendedAt: 0, leaderEpoch: 0 };
}

const registered = (type: string, version = 1) => record(type, codec.encode(registration(type, version)));

describe('TaskTypeCatalogue', () => {
  let catalogue: TaskTypeCatalogue;
  let changes: number;
  const shown = () => catalogue.all().map(({ type, version }) => `${type} ${version}`);
  beforeEach(() => {
    catalogue = new TaskTypeCatalogue(codec, silentLogger);
    changes = 0;
    catalogue.onChange(() => {
      changes += 1;
    });
  });

  it('holds what is registered, by name, and says once that a batch changed it', () => {
    catalogue.apply([registered('noop'), registered('file_hash')]);
    expect(shown()).to.deep.equal(['file_hash 1', 'noop 1']);
    expect(catalogue.get('noop')?.timeoutMs).to.equal(30_000);
    expect(changes).to.equal(1);
  });

  it('shows the newer definition, in whatever order they come', () => {
    catalogue.apply([registered('noop', 2)]);
    catalogue.apply([registered('noop', 1)]);
    expect(shown()).to.deep.equal(['noop 2']);
    expect(changes).to.equal(1);
  });

  it('forgets what was removed', () => {
    catalogue.apply([registered('noop'), record('noop', null)]);
    expect(shown()).to.deep.equal([]);
  });

  it('passes over what it cannot read, and what cannot name topics', () => {
    catalogue.apply([record('noop', Buffer.from('garbage')), registered('No.Such'), registered('noop')]);
    expect(shown()).to.deep.equal(['noop 1']);
  });

  it('tells no one who has asked to hear no more', () => {
    let heard = 0;
    const end = catalogue.onChange(() => {
      heard += 1;
    });
    end();
    catalogue.apply([registered('noop')]);
    expect(heard).to.equal(0);
  });
});
