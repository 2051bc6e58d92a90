import { setImmediate as nextTick } from 'node:timers/promises';
import { expect } from 'chai';
import { CompressionTypes } from 'kafkajs';
import type { AppendRecord } from './appender.ts';
import type { Cluster } from './cluster.ts';
import { GapError, UnknownTopicError } from './errors.ts';
import {
  endOffsets,
  follow,
  type LogRecord,
  offsetsForTime,
  type Range,
  readRange,
  scanRange,
  startOffsets,
} from './reader.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { rejection } from './testing/rejection.ts';
import { ensureTopics } from './topics.ts';

function record(topic: string, value: string | Buffer, partition = 0): AppendRecord {
  return { topic, partition, key: 'key', value: Buffer.from(value) };
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `v${from + i}`);

describe('reader', () => {
  let fixture: LogFixture;
  before(async () => {
    fixture = await logFixture();
  });
  after(() => fixture?.close());

  async function read(range: Range): Promise<string[]> {
    const values: string[] = [];
    for await (const records of readRange(fixture.cluster, range)) {
      expect(records).not.to.have.length(0);
      for (const { value } of records) values.push(String(value));
    }
    return values;
  }

  describe('readRange', () => {
    it('reads from an offset to before another, wherever batches begin', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      for (let i = 0; i < 50; i += 7) await appender.append(numbered(7, i).map((value) => record(topic, value)));
      const all = numbered(56);
      for (const [from, to] of [
        [0, 56],
        [3, 4],
        [6, 8],
        [13, 41],
        [20, 20],
        [56, 56],
        [30, 20],
      ] as const) {
        const values = await read({ topic, partition: 0, from: { offset: from }, to: { offset: to } });
        expect(values, `${from} to ${to}`).to.deep.equal(all.slice(from, to));
      }
      expect(await read({ topic, partition: 0, from: 'start' })).to.deep.equal(all);
      expect(await read({ topic, partition: 0, from: 'start', to: { offset: 1_000 } })).to.deep.equal(all);
    });

    it('tells from where to where it has scanned, over what was trimmed', async () => {
      const topic = await fixture.topic();
      await fixture.appender().append(numbered(10).map((value) => record(topic, value)));
      await fixture.trim(topic, 4);
      const values: string[] = [];
      const scan = (from: number, to?: number) =>
        scanRange(
          fixture.cluster,
          { topic, partition: 0, from: { offset: from }, ...(to === undefined ? {} : { to: { offset: to } }) },
          (records) => values.push(...records.map(({ value }) => String(value))),
        );
      expect(await scan(1, 6)).to.deep.equal({ from: 4, end: 6 });
      expect(await scan(8)).to.deep.equal({ from: 8, end: 10 });
      expect(await scan(50)).to.deep.equal({ from: 10, end: 10 });
      expect(await scan(9, 5)).to.deep.equal({ from: 9, end: 9 });
      expect(values).to.deep.equal(['v4', 'v5', 'v8', 'v9']);
    });

    it('reads from a time', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      await appender.append([record(topic, 'early')]);
      const [early] = await fixture.read(topic);
      while (Date.now() <= early!.appendedAt) await nextTick();
      const [late] = await appender.append([record(topic, 'late')]);
      expect(await read({ topic, partition: 0, from: { time: late!.appendedAt } })).to.deep.equal(['late']);
      expect(await read({ topic, partition: 0, from: { time: early!.appendedAt } })).to.deep.equal(['early', 'late']);
      expect(await read({ topic, partition: 0, from: { time: late!.appendedAt + 60_000 } })).to.deep.equal([]);
      expect(await read({ topic, partition: 0, from: { time: 0 } })).to.deep.equal(['early', 'late']);
    });

    it('reads nothing from a time whose first record comes once the end has been asked for', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      const [early] = await appender.append([record(topic, 'early')]);
      while (Date.now() <= early!.appendedAt) await nextTick();
      const { cluster } = fixture;
      const listOffsetsKey = 2;
      let asked = 0;
      const late = {
        topic: (name: string) => cluster.topic(name),
        leader: (name: string, partition: number) => cluster.leader(name, partition),
        request: async (...question: Parameters<Cluster['request']>) => {
          // The start and the end are asked for, then the offset of the time.
          if (question[1].apiKey === listOffsetsKey && ++asked === 3) {
            await appender.append([record(topic, 'late'), record(topic, 'later')]);
          }
          return cluster.request(...question);
        },
      } as unknown as Cluster;
      for (const time of [early!.appendedAt + 1, early!.appendedAt + 60_000]) {
        asked = 0;
        const chunks: LogRecord[][] = [];
        for await (const chunk of readRange(late, { topic, partition: 0, from: { time } })) chunks.push(chunk);
        expect(chunks).to.deep.equal([]);
        expect(asked).to.be.at.least(3);
      }
    });

    it('stops at the end as it was when reading began', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      await appender.append(numbered(100).map((value) => record(topic, value)));
      const values: string[] = [];
      for await (const records of readRange(fixture.cluster, { topic, partition: 0, from: 'start', maxBytes: 1_000 })) {
        if (values.length === 0) await appender.append([record(topic, 'later')]);
        values.push(...records.map(({ value }) => String(value)));
      }
      expect(values).to.deep.equal(numbered(100));
    });

    it('reads records that are larger than what it fetches at a time', async () => {
      const topic = await fixture.topic();
      const large = Buffer.alloc(900_000, 'x');
      const appender = fixture.appender();
      await appender.append([record(topic, 'small'), record(topic, large), record(topic, 'small too')]);
      const lengths = (await read({ topic, partition: 0, from: 'start', maxBytes: 1_000 })).map(
        (value) => value.length,
      );
      expect(lengths).to.deep.equal([5, 900_000, 9]);
    });

    it('reads what kafkajs wrote with gzip, and passes the markers of transactions', async () => {
      const topic = await fixture.topic();
      const producer = fixture.cluster.kafkajs.producer({
        transactionalId: topic,
        maxInFlightRequests: 1,
        idempotent: true,
      });
      await producer.connect();
      const messages = numbered(500).map((value) => ({ partition: 0, key: 'k', value }));
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages, compression: CompressionTypes.GZIP });
      await transaction.commit();
      await producer.disconnect();
      // The marker is written after the commit has been answered.
      while ((await endOffsets(fixture.cluster, [topic])).get(topic)![0] !== 501) await nextTick();
      await fixture.appender().append([record(topic, 'after')]);
      const records = await fixture.read(topic);
      expect(records.map(({ value }) => String(value))).to.deep.equal([...numbered(500), 'after']);
      expect(records.at(-1)?.offset).to.equal(501);
    });

    it('never passes over what was trimmed', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      for (let i = 0; i < 20; i += 5) await appender.append(numbered(5, i).map((value) => record(topic, value)));
      await fixture.trim(topic, 12);
      const error = await rejection(read({ topic, partition: 0, from: { offset: 5 } }));
      expect(error).to.be.instanceOf(GapError).and.include({ topic, partition: 0, wanted: 5, start: 12, end: 20 });
      expect(await read({ topic, partition: 0, from: 'start' })).to.deep.equal(numbered(8, 12));
      const beyond = await rejection(read({ topic, partition: 0, from: { offset: 21 } }));
      expect(beyond).to.be.instanceOf(GapError).and.include({ wanted: 21, end: 20 });
    });

    it('notices when the log is trimmed while it reads', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      for (let i = 0; i < 100; i++) await appender.append([record(topic, `v${i}`.padEnd(1_000, '.'))]);
      const iterator = readRange(fixture.cluster, { topic, partition: 0, from: 'start', maxBytes: 2_000 });
      let read = 0;
      const error = await rejection(
        (async () => {
          for await (const records of iterator) {
            if (read === 0) {
              await fixture.trim(topic, 90);
            }
            read += records.length;
          }
        })(),
      );
      expect(error).to.be.instanceOf(GapError).and.include({ wanted: read, start: 90 });
      expect(read).to.be.below(20);
    });

    it('says that there is no such topic or partition', async () => {
      const topic = await fixture.topic();
      expect(await rejection(read({ topic: 'test.nowhere', partition: 0, from: 'start' }))).to.be.instanceOf(
        UnknownTopicError,
      );
      expect(await rejection(read({ topic, partition: 3, from: 'start' }))).to.be.instanceOf(UnknownTopicError);
    });

    it('stops where its caller does, or its signal', async () => {
      const topic = await fixture.topic();
      await fixture.appender().append(numbered(100).map((value) => record(topic, value)));
      for await (const records of readRange(fixture.cluster, { topic, partition: 0, from: 'start' })) {
        expect(records[0]?.offset).to.equal(0);
        break;
      }
      const signal = AbortSignal.abort(new Error('enough'));
      expect((await rejection(read({ topic, partition: 0, from: 'start', signal }))).message).to.equal('enough');
    });
  });

  describe('offsets', () => {
    it('gives starts and ends of all partitions of many topics', async () => {
      const [one, two] = [await fixture.topic({ partitions: 3 }), await fixture.topic({ partitions: 2 })];
      const appender = fixture.appender();
      await appender.append([record(one, 'a'), record(one, 'b'), record(one, 'c', 2), record(two, 'd')]);
      await fixture.trim(one, 1);
      const ends = await endOffsets(fixture.cluster, [one, two]);
      expect([ends.get(one), ends.get(two)]).to.deep.equal([
        [2, 0, 1],
        [1, 0],
      ]);
      const starts = await startOffsets(fixture.cluster, [one, two]);
      expect([starts.get(one), starts.get(two)]).to.deep.equal([
        [1, 0, 0],
        [0, 0],
      ]);
      const future = await offsetsForTime(fixture.cluster, [one], Date.now() + 60_000);
      expect(future.get(one)).to.deep.equal([2, 0, 1]);
      expect(await rejection(endOffsets(fixture.cluster, ['test.nowhere']))).to.be.instanceOf(UnknownTopicError);
    });

    it('sees partitions that were added since', async () => {
      const topic = await fixture.topic();
      await endOffsets(fixture.cluster, [topic]);
      await fixture.withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }));
      let ends: readonly number[] = [];
      while (ends.length < 4) ends = (await endOffsets(fixture.cluster, [topic])).get(topic)!;
      expect(ends).to.deep.equal([0, 0, 0, 0]);
    });
  });

  describe('follow', () => {
    function followed(
      topics: string[],
      from: 'start' | 'end' = 'start',
      onRecord: (record: LogRecord) => void = () => {},
    ) {
      const stop = new AbortController();
      const values: string[] = [];
      const follower = follow(fixture.cluster, {
        topics,
        from,
        signal: stop.signal,
        onRecords(records) {
          for (const each of records) {
            values.push(String(each.value));
            onRecord(each);
          }
        },
      });
      return {
        values,
        ...follower,
        stop: () => stop.abort(),
        async until(count: number) {
          while (values.length < count) await Promise.race([nextTick(), follower.done]);
        },
      };
    }

    it('gives what is there, says when it has, and goes on with what comes', async () => {
      const [one, two] = [await fixture.topic({ partitions: 3 }), await fixture.topic()];
      const appender = fixture.appender();
      await appender.append(numbered(30).map((value, i) => record(one, value, i % 3)));
      await appender.append([record(two, 'two')]);
      const follower = followed([one, two]);
      await follower.caughtUp;
      expect(follower.values.toSorted()).to.deep.equal([...numbered(30), 'two'].toSorted());
      await appender.append([record(one, 'new', 1)]);
      await follower.until(32);
      expect(follower.values.at(-1)).to.equal('new');
      follower.stop();
      await follower.done;
    });

    it('has caught up at once where there is nothing, or it begins at the end', async () => {
      const topic = await fixture.topic();
      const empty = followed([topic]);
      await empty.caughtUp;
      const appender = fixture.appender();
      await appender.append([record(topic, 'before')]);
      const fromEnd = followed([topic], 'end');
      await fromEnd.caughtUp;
      await appender.append([record(topic, 'after')]);
      await fromEnd.until(1);
      expect(fromEnd.values).to.deep.equal(['after']);
      await empty.until(2);
      for (const follower of [empty, fromEnd]) {
        follower.stop();
        await follower.done;
      }
    });

    it('waits for a topic that is not there yet', async () => {
      const name = `test.later.${process.pid}.${Date.now()}`;
      const follower = followed([name]);
      await ensureTopics(fixture.cluster, [{ name, partitions: 1, replicationFactor: 1, config: {} }]);
      await fixture.appender().append([record(name, 'x')]);
      await follower.until(1);
      follower.stop();
      await follower.done;
    });

    it('ends with what its handler throws', async () => {
      const topic = await fixture.topic();
      await fixture.appender().append([record(topic, 'x')]);
      const own = new Error('mine');
      const follower = followed([topic], 'start', () => {
        throw own;
      });
      expect(await rejection(follower.done)).to.equal(own);
      expect(await rejection(follower.caughtUp)).to.equal(own);
    });

    it('ends where records were trimmed before it read them', async () => {
      const topic = await fixture.topic();
      const appender = fixture.appender();
      await appender.append(numbered(5).map((value) => record(topic, value)));
      let letGo: () => void = () => {};
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const stop = new AbortController();
      const reached = Promise.withResolvers<void>();
      const follower = follow(fixture.cluster, {
        topics: [topic],
        from: 'start',
        signal: stop.signal,
        async onRecords() {
          reached.resolve();
          await held;
        },
      });
      await reached.promise;
      await appender.append(numbered(5, 5).map((value) => record(topic, value)));
      await fixture.trim(topic, 8);
      letGo();
      expect(await rejection(follower.done))
        .to.be.instanceOf(GapError)
        .and.include({ wanted: 5, start: 8 });
      stop.abort();
    });
  });
});
