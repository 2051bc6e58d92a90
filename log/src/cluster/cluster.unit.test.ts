import { expect } from 'chai';
import fc from 'fast-check';
import { backoffMs, retrying } from '../backoff.ts';
import { ConnectionError, KafkaError, UnsupportedBrokerError } from '../errors.ts';
import { codes, errorCode } from '../wire/errorCodes.ts';
import type { MetadataResponse } from '../wire/messages/metadata.ts';
import { parseBrokerAddress } from './brokerAddress.ts';
import { coalesce } from './coalesce.ts';
import { requireShareGroups } from './requirements.ts';
import { TopicCache } from './topicCache.ts';

describe('broker addresses', () => {
  it('are read with and without a port, and IPv6 in brackets', () => {
    expect(parseBrokerAddress('kafka-1.example:29092')).to.deep.equal({ host: 'kafka-1.example', port: 29_092 });
    expect(parseBrokerAddress(' localhost ')).to.deep.equal({ host: 'localhost', port: 9_092 });
    expect(parseBrokerAddress('[::1]:31092')).to.deep.equal({ host: '::1', port: 31_092 });
  });

  it('are refused by name where they make no sense', () => {
    for (const text of ['', ':9092', 'a:b', 'a:0', 'a:99999', '::1', 'http://a:1', 'a b:1']) {
      expect(() => parseBrokerAddress(text), text).to.throw(TypeError, `"${text}"`);
    }
  });
});

describe('error codes', () => {
  it('know what may be tried again', () => {
    expect(errorCode(codes.NOT_LEADER_OR_FOLLOWER)).to.include({ retriable: true, staleMetadata: true });
    expect(errorCode(codes.NOT_ENOUGH_REPLICAS)).to.include({ retriable: true, staleMetadata: false });
    expect(errorCode(codes.MESSAGE_TOO_LARGE)).to.include({ retriable: false });
    expect(errorCode(9_999)).to.include({ name: 'ERROR_9999', retriable: false });
  });

  it('have the names under which code decides on them', () => {
    for (const [name, code] of Object.entries(codes)) expect(errorCode(code).name).to.equal(name);
  });

  it('make errors that say what was asked of what', () => {
    const error = new KafkaError(codes.TOPIC_AUTHORIZATION_FAILED, 'Append to a/0');
    expect(error).to.include({ name: 'TOPIC_AUTHORIZATION_FAILED', code: 29, retriable: false });
    expect(error.message).to.equal('Append to a/0: TOPIC_AUTHORIZATION_FAILED (29): Topic authorization failed.');
  });
});

describe('requirements of a broker', () => {
  const versions = (shareFetch: number | undefined, level: number | undefined) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    apis: new Map(shareFetch === undefined ? [] : [[78, { min: 1, max: shareFetch }]]),
    features: new Map(level === undefined ? [] : [['share.version', level]]),
  });

  it('are share groups, as new as needed, switched on', () => {
    expect(() => requireShareGroups('b:1', versions(2, 1))).not.to.throw();
    expect(() => requireShareGroups('b:1', versions(undefined, 1))).to.throw(
      UnsupportedBrokerError,
      /b:1 .*4\.2 or newer/,
    );
    expect(() => requireShareGroups('b:1', versions(1, 1))).to.throw(UnsupportedBrokerError, /4\.2 or newer/);
    expect(() => requireShareGroups('b:1', versions(2, undefined))).to.throw(
      UnsupportedBrokerError,
      /share\.version=1/,
    );
    expect(() => requireShareGroups('b:1', versions(2, 0))).to.throw(UnsupportedBrokerError, /switched off/);
  });
});

describe('coalesce', () => {
  it('gathers what comes during a run into one next run', async () => {
    const runs: string[][] = [];
    const gates: (() => void)[] = [];
    const refresh = coalesce<string>((items) => {
      runs.push([...items]);
      return new Promise((resolve) => gates.push(resolve));
    });
    const first = refresh(['a']);
    const second = refresh(['b']);
    const third = refresh(['c', 'b']);
    expect(runs).to.deep.equal([['a']]);
    gates[0]!();
    await first;
    await Promise.resolve();
    expect(runs).to.deep.equal([['a'], ['b', 'c']]);
    gates[1]!();
    await Promise.all([second, third]);
    const fourth = refresh(['d']);
    gates[2]!();
    await fourth;
    expect(runs).to.deep.equal([['a'], ['b', 'c'], ['d']]);
  });

  it('runs again after a failure, which only those concerned see', async () => {
    let fail = true;
    const work = coalesce<string>(async () => {
      await Promise.resolve();
      if (fail) throw new Error('away');
    });
    const first = work(['a']).catch((error: Error) => error.message);
    const second = work(['b']).then(() => 'done');
    expect(await first).to.equal('away');
    fail = false;
    expect(await second).to.equal('done');
  });
});

describe('topic cache', () => {
  const answer = (id: string, epochs: readonly number[], errorCodeOfTopic = 0): MetadataResponse => ({
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: 1,
    topics: [
      {
        errorCode: errorCodeOfTopic,
        name: 't',
        id: Buffer.from(id.repeat(16), 'latin1'),
        partitions: epochs.map((leaderEpoch, partition) => ({
          errorCode: 0,
          partition,
          leader: leaderEpoch * 10,
          leaderEpoch,
          replicas: [],
          inSyncReplicas: [],
        })),
      },
    ],
  });

  it('does not go back to the leader of an older epoch', () => {
    const cache = new TopicCache();
    cache.update(answer('a', [5, 5]));
    cache.update(answer('a', [4, 6, 0]));
    expect(cache.get('t')?.partitions.map(({ leader }) => leader)).to.deep.equal([50, 60, 0]);
  });

  it('begins anew for a topic with a new id', () => {
    const cache = new TopicCache();
    cache.update(answer('a', [5]));
    const old = cache.get('t')!.idHex;
    cache.update(answer('b', [0]));
    expect(cache.get('t')?.partitions[0]?.leaderEpoch).to.equal(0);
    expect(cache.byId(old)).to.equal(undefined);
    expect(cache.byId(cache.get('t')!.idHex)?.name).to.equal('t');
  });

  it('forgets a topic that is not there any more, and says why', () => {
    const cache = new TopicCache();
    cache.update(answer('a', [5]));
    const errors = cache.update(answer('a', [], codes.UNKNOWN_TOPIC_OR_PARTITION));
    expect(errors.get('t')).to.equal(3);
    expect(cache.get('t')).to.equal(undefined);
  });
});

describe('backoff', () => {
  it('is between nothing and a bound that doubles up to the cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const pause = backoffMs(attempt, { baseMs: 50, capMs: 2_000 }, () => random);
          expect(pause).to.be.within(0, Math.min(2_000, 50 * 2 ** Math.min(attempt - 1, 20)));
        },
      ),
    );
    expect(backoffMs(3, { baseMs: 50, capMs: 2_000 }, () => 1)).to.equal(200);
  });

  const quick = { baseMs: 1, capMs: 1 };

  it('ends with success, with an error for good, or with the time', async () => {
    let attempts = 0;
    const away = () => new ConnectionError('b:1', 'away');
    const flaky = async () => {
      if (++attempts < 3) throw away();
      return attempts;
    };
    expect(await retrying(flaky, { forMs: 10_000, backoff: quick })).to.equal(3);
    const final = new TypeError('no');
    const failed = await retrying(() => Promise.reject(final), { forMs: 10_000 }).catch((error: unknown) => error);
    expect(failed).to.equal(final);
    const expired = await retrying(() => Promise.reject(away()), { forMs: 0 }).catch((error: unknown) => error);
    expect(expired).to.be.instanceOf(ConnectionError);
  });

  it('ends when the signal aborts', async () => {
    const stop = new AbortController();
    const error = await retrying(() => Promise.reject(new ConnectionError('b:1', 'away')), {
      forMs: 10_000,
      signal: stop.signal,
      backoff: { baseMs: 1_000_000, capMs: 1_000_000 },
      when: () => {
        queueMicrotask(() => stop.abort(new Error('stopped')));
        return true;
      },
    }).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(Error);
    expect(stop.signal.aborted).to.equal(true);
  });
});
