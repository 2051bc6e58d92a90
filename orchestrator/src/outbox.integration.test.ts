import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { inTransaction } from '@taskflow/service/postgres';
import { expect } from 'chai';
import { Outbox } from './outbox/outbox.ts';
import { addToOutbox, type OutboxEntry } from './outbox/outboxTable.ts';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf } from './testing/taskEvents.ts';

describe('the outbox', () => {
  let fixture: OrchestratorFixture;
  let type: string;
  let outbox: Outbox;
  const sent: [number, string][] = [];

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    type = await fixture.newType();
    sent.splice(0);
    outbox = newOutbox();
  });
  afterEach(() => outbox.stop());

  const newOutbox = (changes: Partial<ConstructorParameters<typeof Outbox>[0]> = {}) => {
    const { pool, cluster, appender, registry } = fixture;
    return new Outbox({
      ...{ pool, cluster, appender, codec: registry.codec, logger: silentLogger, owns: () => true },
      onSent: (rows, how) => sent.push([rows, how]),
      ...changes,
    });
  };
  const lane = () => ({ type, priority: 'normal', eventsPartition: 0 });
  const entry = (event: TaskEvent, endOffset = 0): OutboxEntry => {
    const topic = event.event === 'TaskQueued' ? queueTopic(type, 'normal') : eventsTopic(type, 'normal');
    return { lane: lane(), topic, partition: 0, endOffset, event };
  };
  /** Rows as a process leaves them that ends right after their transaction. */
  const decide = (...entries: OutboxEntry[]) =>
    inTransaction(fixture.pool, (tx) => addToOutbox(tx, fixture.registry.codec, entries));
  const untilEmpty = async (): Promise<void> => {
    const left = async () => (await fixture.pool.query('select id from outbox where type = $1', [type])).rows.length;
    while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const queued = async (): Promise<TaskQueued[]> =>
    (await fixture.read(type)).filter((event): event is TaskQueued => event.event === 'TaskQueued');

  it('sends what was decided as it is, and is empty then', async () => {
    const [a, b] = [eventsOf(type).queued(2), eventsOf(type).queued(2)];
    outbox.send(await decide(entry(a), entry(b)));
    await untilEmpty();
    expect(await queued()).to.deep.equal([a, b]);
    await outbox.stop();
    expect(sent).to.deep.equal([[2, 'at-once']]);
  });

  it('does not send again what a crashed process had appended', async () => {
    const before = eventsOf(type).queued();
    await fixture.append([before]);
    const event = eventsOf(type).queued(2);
    await decide(entry(event, 1));
    await fixture.append([event]);
    await outbox.recover([lane()], 0);
    await untilEmpty();
    expect(await queued()).to.deep.equal([before, event]);
    await outbox.stop();
    expect(sent).to.deep.equal([[1, 'was-there']]);
  });

  it('sends with check what a crashed process had not appended, or had before the end that was noted', async () => {
    const [lost, other] = [eventsOf(type).queued(2), eventsOf(type).queued(3)];
    // The same intent, from before the row was written, is another story: it cannot be what the row asks for.
    await fixture.append([other]);
    await decide(entry(lost, 1), entry(other, 1));
    await outbox.recover([lane()], 0);
    await untilEmpty();
    const [first, ...rest] = await queued();
    expect(first).to.deep.equal(other);
    expect(rest).to.have.deep.members([
      { ...lost, check: true },
      { ...other, check: true },
    ]);
  });

  it('sends ends of tasks to the events', async () => {
    const it = eventsOf(type);
    const { event: _event, result: _result, durationMs: _durationMs, ...head } = it.succeeded();
    const error = { code: 'WORKER_LOST', message: 'lost', retryable: false, details: null };
    const failed: TaskEvent = { ...head, event: 'TaskFailed', error, failures: 0 };
    await decide(entry(failed));
    await outbox.recover([lane()], 0);
    await untilEmpty();
    expect(await fixture.read(type)).to.deep.equal([failed]);
  });

  it('leaves to others what is of their lanes, and to its writer what was written a moment ago', async () => {
    const theirs = newOutbox({ owns: () => false });
    await decide(entry(eventsOf(type).queued(2)));
    await theirs.recover([lane()], 0);
    await theirs.recover([lane()]);
    await theirs.stop();
    await outbox.recover([lane()]);
    await outbox.recover([{ ...lane(), eventsPartition: 1 }], 0);
    expect(sent).to.deep.equal([]);
    expect(await queued()).to.deep.equal([]);
    await outbox.recover([lane()], 0);
    await untilEmpty();
    expect(await queued()).to.have.lengthOf(1);
  });

  it('tries again, after a look at the log, where an append has no answer', async () => {
    let refusals = 2;
    const { appender } = fixture;
    const event = eventsOf(type).queued(2);
    const unsure = newOutbox({
      appender: {
        ...appender,
        stats: appender.stats,
        close: async () => {},
        async append(records) {
          // The first append arrives though its answer does not.
          if (refusals === 2) await appender.append(records);
          if (refusals-- > 0) throw new Error('no answer');
          return appender.append(records);
        },
      },
    });
    unsure.send(await decide(entry(event)));
    await untilEmpty();
    await unsure.stop();
    expect(await queued()).to.deep.equal([event]);
    expect(sent).to.deep.equal([[1, 'was-there']]);
  });
});
