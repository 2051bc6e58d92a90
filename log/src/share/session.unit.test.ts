import { expect } from 'chai';
import type { BrokerConnection, Cluster } from '../cluster.ts';
import { silentLogger } from '../logger.ts';
import { codes } from '../wire/errorCodes.ts';
import type { Request, Response } from '../wire/request.ts';
import type { Hold } from './delivered.ts';
import { ShareSession } from './session.ts';
import { partitionId } from './sessionState.ts';
import { noAcknowledgements } from './sharePartition.ts';

const topicId = Buffer.alloc(16, 1);
const id = partitionId(topicId, 0);

/** A broker with the id 1, as far as a session asks. */
class FakeBroker {
  /** What it says of the partition. */
  described: { leader: number; leaderEpoch: number } | undefined;
  /** Of the next answer to a fetch. */
  fetchError: number = codes.NONE;

  connection(): BrokerConnection {
    return {
      whenClosed: new Promise(() => {}),
      unthrottled: async () => {},
      close() {},
      send: async (request: Request<Response>) => this.#answer(request),
    } as unknown as BrokerConnection;
  }

  #answer({ name }: Request<Response>): unknown {
    const sound = { throttleTimeMs: 0, errorCode: codes.NONE, errorMessage: null, lockTimeoutMs: 15_000 };
    if (name === 'Metadata') {
      return { topics: [{ partitions: this.described ? [{ partition: 0, ...this.described }] : [] }] };
    }
    if (name === 'ShareAcknowledge') return { ...sound, partitions: [] };
    const errorCode = this.fetchError;
    this.fetchError = codes.NONE;
    const answer = { topicId, partition: 0, errorCode, errorMessage: null, acknowledgeErrorCode: 0 };
    return { ...sound, partitions: [{ ...answer, records: null, acquired: [] }] };
  }
}

describe('a share session', () => {
  let broker: FakeBroker;
  let session: ShareSession;
  let moved: number;
  let lost: (readonly Hold[])[];
  let changed: () => void;
  beforeEach(() => {
    broker = new FakeBroker();
    moved = 0;
    lost = [];
    changed = () => {};
    session = new ShareSession({
      cluster: { openConnection: async () => broker.connection(), logger: silentLogger } as unknown as Cluster,
      brokerId: 1,
      group: 'group',
      topic: 'queue',
      memberId: 'member',
      maxBytes: 1_000,
      batchRecords: undefined,
      answerTimeoutMs: 1_000,
      counts: noAcknowledgements(),
      onLost: (holds) => lost.push(holds),
      onMoved: () => moved++,
      onChange: () => changed(),
    });
    session.partitions.want([id]);
  });
  afterEach(() => session.close(performance.now()));

  const hold = () => session.partitions.find(topicId, 0)?.hold;
  const ready = async () => {
    while (!session.isReady) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };

  it('holds a partition with the epoch that its leader states', async () => {
    broker.described = { leader: 1, leaderEpoch: 4 };
    await session.poll(10, 0);
    expect(hold()).to.include({ leaderEpoch: 4, lost: false });
    expect(moved).to.equal(0);
  });

  for (const [name, described] of [
    ['says that another leads', { leader: 2, leaderEpoch: 3 }],
    ['says that nobody leads', { leader: -1, leaderEpoch: 3 }],
    ['knows nothing', undefined],
  ] as const) {
    it(`begins no hold on a partition of which its broker ${name}, and asks for it again`, async () => {
      broker.described = described;
      await session.poll(10, 0);
      expect(hold()).to.equal(undefined);
      expect(session.isReady).to.equal(false);
      expect(moved).to.equal(1);
      expect(session.lastError?.message).to.contain('queue/0');
      broker.described = { leader: 1, leaderEpoch: 5 };
      await ready();
      await session.poll(10, 0);
      expect(hold()).to.include({ leaderEpoch: 5, lost: false });
      expect(lost).to.deep.equal([]);
    });
  }

  it('begins none where the fetch was refused, though the broker says a moment later that it leads', async () => {
    broker.described = { leader: 1, leaderEpoch: 5 };
    broker.fetchError = codes.NOT_LEADER_OR_FOLLOWER;
    await session.poll(10, 0);
    expect(hold()).to.equal(undefined);
    expect(lost).to.deep.equal([]); // there was none
    await ready();
    await session.poll(10, 0);
    expect(hold()).to.include({ leaderEpoch: 5, lost: false });
  });
});
