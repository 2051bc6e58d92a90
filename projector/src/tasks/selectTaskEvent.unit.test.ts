import type { LogRecord } from '@taskflow/log/logRecord';
import { UndecodableError } from '@taskflow/schemas/codec';
import type { TaskEvent, TaskflowRecord } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { selectTaskEvent } from './selectTaskEvent.ts';

const started = {
  event: 'TaskStarted',
  taskId: '01999999-0000-7000-8000-000000000001',
  generation: 0,
  attempt: 1,
  workerId: 'worker-1.1.a',
  eventId: '01999999-1000-7000-8000-000000000001',
  userId: '00000000-0000-4000-8000-000000000001',
  type: 'noop',
  priority: 'normal',
  occurredAt: 1_760_000_000_000,
} as TaskEvent;
const at = (topic: string) => ({ topic }) as LogRecord;
const EVENTS = 'taskflow.events.noop.normal';

describe('selectTaskEvent', () => {
  it('takes an event that lies where it belongs', () => {
    expect(selectTaskEvent(started, at(EVENTS))).to.equal(started);
    const queued = { ...started, event: 'TaskQueued' } as TaskEvent;
    expect(selectTaskEvent(queued, at('taskflow.queue.noop.normal'))).to.equal(queued);
  });

  it('passes over what is no event of a task', () => {
    expect(selectTaskEvent({ event: 'TaskLogLine' } as TaskflowRecord, at(EVENTS))).to.equal(undefined);
  });

  const refused: [string, Partial<Record<string, unknown>>, string, string][] = [
    ['in the other family', {}, 'taskflow.queue.noop.normal', 'TaskStarted belongs to a topic of the events family'],
    ['of another type', { type: 'file_hash' }, EVENTS, 'which have topics of their own'],
    ['of another priority', { priority: 'high' }, EVENTS, 'which have topics of their own'],
    ['in a topic of no task', {}, 'taskflow.logs', 'neither a queue nor an events topic'],
    ['of a task that is none', { taskId: 'x' }, EVENTS, 'taskId is not a UUID'],
    ['of a task in capitals', { taskId: '01999999-0000-7000-8000-00000000000A' }, EVENTS, 'taskId is not a UUID'],
    ['of a user who is none', { userId: 'root' }, EVENTS, 'userId is not a UUID'],
    ['before 1970', { occurredAt: -1 }, EVENTS, 'occurredAt is not a time'],
    ['after 9999', { occurredAt: 253_402_300_800_000 }, EVENTS, 'occurredAt is not a time'],
    ['of too great a generation', { generation: 2 ** 30 }, EVENTS, 'generation 1073741824 is out of bounds'],
    ['of a negative generation', { generation: -1 }, EVENTS, 'generation -1 is out of bounds'],
    ['of too great an attempt', { attempt: 2 ** 20 }, EVENTS, 'attempt 1048576 is out of bounds'],
  ];
  for (const [what, changes, topic, reason] of refused) {
    it(`refuses an event ${what}`, () => {
      expect(() => selectTaskEvent({ ...started, ...changes } as TaskEvent, at(topic))).to.throw(
        UndecodableError,
        reason,
      );
    });
  }
});
