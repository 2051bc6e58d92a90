import type { LogRecord } from '@taskflow/log/logRecord';
import type { TaskEvent } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { eventsOf, task } from '../testing/taskEvents.ts';
import { OpenTasks } from './openTasks.ts';
import { selectTimerEvent, wantsTimerEvent } from './selectTimerEvent.ts';

describe('which events concern the timers', () => {
  let open: OpenTasks;
  beforeEach(() => {
    open = new OpenTasks();
  });
  const recordOf = (event: TaskEvent, topic?: string): LogRecord => ({
    topic: topic ?? (event.event === 'TaskQueued' ? queueTopic : eventsTopic)(event.type, event.priority),
    partition: 0,
    offset: 0,
    key: Buffer.from(event.taskId),
    value: Buffer.alloc(0),
    appendedAt: 0,
    leaderEpoch: 0,
  });
  /** As the decoding does it: first by the name and the key, then by the body. */
  const isDecoded = (event: TaskEvent): boolean =>
    wantsTimerEvent(open, event.event, recordOf(event), () => (event.event === 'TaskQueued' ? event.cause : undefined));
  const concerns = (event: TaskEvent): boolean =>
    isDecoded(event) && selectTimerEvent(open, event, recordOf(event)) !== undefined;

  it('none of a task that runs and ends without a timer; only its heartbeat is decoded', () => {
    const it = eventsOf('noop');
    const events = [it.queued(), it.started(), it.heartbeat(), it.succeeded()];
    expect(events.map(concerns)).to.deep.equal([false, false, false, false]);
    expect(events.filter(isDecoded).map(({ event }) => event)).to.deep.equal(['TaskHeartbeat']);
    expect(open.size).to.equal(0);
  });

  it('those that set a timer, and from then on all up to the end', () => {
    for (const set of ['scheduled', 'retry', 'hand-over']) {
      const it = eventsOf('noop');
      const first = { scheduled: it.scheduled(1), retry: it.retry(1, 0), 'hand-over': it.heartbeat(1, { task }) }[set]!;
      const then = [it.started(), it.heartbeat(), it.queued(2, { cause: 'redrive' }), it.succeeded()];
      expect([first, ...then].map(concerns), set).to.deep.equal([true, true, true, true, true]);
      expect([it.started(), it.succeeded()].map(concerns), set).to.deep.equal([false, false]);
    }
  });

  it('what a timer has queued and a cancel, also where no row is known', () => {
    const causes = ['schedule', 'admit', 'retry', 'release', 'recover'];
    const events = causes.map((cause) => eventsOf('noop').queued(2, { cause }));
    expect([...events, eventsOf('noop').cancelled()].every(concerns)).to.equal(true);
    expect(open.size).to.equal(0);
  });

  it('the end of a later generation, after a late end of the one before', () => {
    const it = eventsOf('noop');
    concerns({ ...it.retry(1, 0), generation: 1 });
    expect(concerns(it.succeeded(1, 0))).to.equal(true);
    expect(concerns(it.succeeded(1, 1))).to.equal(true);
    expect(concerns(it.succeeded(1, 1))).to.equal(false);
  });

  it('none that is no event in its place, or cannot be kept', () => {
    const retry = eventsOf('noop').retry(1, 0);
    const select = (event: TaskEvent, topic?: string) => selectTimerEvent(open, event, recordOf(event, topic));
    expect(select(retry)).to.equal(retry);
    expect(select(retry, eventsTopic('other', 'normal'))).to.equal(undefined);
    expect(select(retry, queueTopic('noop', 'normal'))).to.equal(undefined);
    expect(select(retry, 'taskflow.control')).to.equal(undefined);
    for (const changes of [
      { taskId: 'no uuid' },
      { taskId: retry.taskId.toUpperCase() },
      { userId: '' },
      { generation: -1 },
      { attempt: 2 ** 20 },
      { retryAt: Number.MAX_SAFE_INTEGER },
    ]) {
      expect(select({ ...retry, ...changes }, recordOf(retry).topic), JSON.stringify(changes)).to.equal(undefined);
    }
    expect(select({ ...eventsOf('noop').scheduled(-1) })).to.equal(undefined);
  });
});
