import { expect } from 'chai';
import {
  eventsPartitionOf,
  evolve,
  historyFromJson,
  historyToJson,
  merge,
  packVersion,
  timeline,
  versionOf,
} from './fold.ts';
import { foldCases } from './testing/foldCases.ts';
import { recorded, taskEvent } from './testing/taskEvents.ts';
import { fold } from './testing/taskLogs.ts';

describe('the fold, by example', () => {
  for (const { name, given, then, notCounted } of foldCases) {
    it(name, () => {
      const state = fold(given);
      expect(state).to.deep.include(then);
      const idle = timeline(state.history).filter((entry) => !entry.counted);
      expect(idle.map((entry) => entry.eventId)).to.deep.equal(notCounted);
    });
  }
});

describe('a state', () => {
  it('is not changed by what follows', () => {
    const before = fold([recorded(taskEvent('TaskQueued'), 0)]);
    const copy = structuredClone(before);
    evolve(before, recorded(taskEvent('TaskStarted'), 0));
    expect(before).to.deep.equal(copy);
  });

  it('cannot be merged with that of another task', () => {
    const one = fold([recorded(taskEvent('TaskQueued'), 0)]);
    const taskId = '01999999-0000-7000-8000-000000000002';
    const other = fold([recorded(taskEvent('TaskQueued', { taskId }), 1)]);
    expect(() => merge(one, other)).to.throw(`${one.id} and ${taskId}`);
  });
});

describe('the history', () => {
  const actor = '01999999-0000-7000-8000-0000000000aa';

  it('keeps who cancelled or redrove, and why', () => {
    const { history } = fold([
      recorded(taskEvent('TaskQueued'), 0),
      recorded(taskEvent('TaskCancelled', { actor, reason: 'a mistake' }), 0),
      recorded(taskEvent('TaskQueued', { generation: 1, cause: 'redrive', actor, reason: null }), 1),
    ]);
    expect(timeline(history).map((entry) => [entry.event, entry.actor, entry.reason])).to.deep.equal([
      ['TaskQueued', null, null],
      ['TaskCancelled', actor, 'a mistake'],
      ['TaskQueued', actor, null],
    ]);
    expect(historyFromJson(historyToJson(history))).to.deep.equal(history);
  });

  it('knows the events partition from the first TaskQueued on, and from any event', () => {
    const queued = fold([recorded(taskEvent('TaskQueued', { eventsPartition: 2 }), 0)]);
    expect(eventsPartitionOf(queued)).to.equal(2);
    expect(eventsPartitionOf({ events: null, history: historyFromJson(historyToJson(queued.history)) })).to.equal(2);
    const scheduled = fold([{ ...recorded(taskEvent('TaskScheduled'), 0), partition: 1 }]);
    expect(eventsPartitionOf(scheduled)).to.equal(1);
    expect(eventsPartitionOf({ events: null, history: [] })).to.equal(null);
  });
});

describe('a version', () => {
  it('packs (generation, ended, attempt, rank) into one integer', () => {
    expect(packVersion(0, false, 1, 0)).to.equal(4);
    expect(packVersion(0, false, 2, 3)).to.equal(11);
    expect(packVersion(0, true, 2, 3), 'of an end attempt and rank are 0').to.equal(2 ** 22);
    expect(packVersion(1, false, 1, 1)).to.equal(2 ** 23 + 5);
    expect(Number.isSafeInteger(packVersion(2 ** 29, true, 0, 0))).to.equal(true);
  });

  it('orders events by generation, then by end, then by attempt, then by rank', () => {
    const ascending = [
      taskEvent('TaskScheduled'),
      taskEvent('TaskQueued'),
      taskEvent('TaskHeartbeat'),
      taskEvent('TaskRetryScheduled'),
      taskEvent('TaskQueued', { attempt: 2 }),
      taskEvent('TaskStarted', { attempt: 2 ** 20 - 1 }),
      taskEvent('TaskSucceeded'),
      taskEvent('TaskQueued', { generation: 1 }),
      taskEvent('TaskCancelled', { generation: 1 }),
    ].map(versionOf);
    expect(ascending).to.deep.equal(ascending.toSorted((a, b) => a - b));
    expect(new Set(ascending).size).to.equal(ascending.length);
  });

  it('is the same for every end of a generation, and for a start and a heartbeat of an attempt', () => {
    const ends = [taskEvent('TaskSucceeded'), taskEvent('TaskFailed', { attempt: 3 }), taskEvent('TaskCancelled')].map(
      versionOf,
    );
    expect(new Set(ends).size).to.equal(1);
    expect(versionOf(taskEvent('TaskStarted'))).to.equal(versionOf(taskEvent('TaskHeartbeat')));
  });
});

describe('the timeline', () => {
  it('shows the log’s order, each TaskQueued before the events of its attempt', () => {
    const log = [
      recorded(taskEvent('TaskScheduled'), 0),
      recorded(taskEvent('TaskStarted'), 1),
      recorded(taskEvent('TaskRetryScheduled'), 2),
      recorded(taskEvent('TaskStarted', { attempt: 2 }), 3),
      recorded(taskEvent('TaskSucceeded'), 4),
      recorded(taskEvent('TaskQueued', { generation: 1 }), 2),
      recorded(taskEvent('TaskQueued', { attempt: 2 }), 1),
      recorded(taskEvent('TaskQueued'), 0),
    ];
    expect(
      timeline(fold(log).history).map((entry) => `${entry.event} ${entry.generation}.${entry.attempt}`),
    ).to.deep.equal([
      'TaskScheduled 0.1',
      'TaskQueued 0.1',
      'TaskStarted 0.1',
      'TaskRetryScheduled 0.1',
      'TaskQueued 0.2',
      'TaskStarted 0.2',
      'TaskSucceeded 0.1',
      'TaskQueued 1.1',
    ]);
  });
});
