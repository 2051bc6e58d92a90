import type { TaskEvent } from '@taskflow/schemas/events';
import { someTask, taskEvent } from '@taskflow/schemas/testing/taskEvents';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { carryOverQueued, type GatheredTasks, gatherEvent, noTasks } from './gatheredTasks.ts';

const idOf = (n: number) => `01999999-0000-7000-8000-${String(n).padStart(12, '0')}`;

function add(gathered: GatheredTasks, name: TaskEvent['event'], n: number, offset: number, changes: object = {}) {
  const event = taskEvent(name, { taskId: idOf(n), ...changes });
  const topic = (name === 'TaskQueued' ? queueTopic : eventsTopic)(event.type, event.priority);
  gatherEvent(gathered, { event, topic, partition: 0, offset, appendedAt: 0 });
}

/** Tasks of which one has started, and two only wait, of different priorities. */
function someTasks(): GatheredTasks {
  const gathered = noTasks();
  add(gathered, 'TaskQueued', 1, 10);
  add(gathered, 'TaskStarted', 1, 0);
  add(gathered, 'TaskQueued', 2, 11);
  add(gathered, 'TaskQueued', 3, 12);
  add(gathered, 'TaskQueued', 4, 5, { priority: 'high' });
  return gathered;
}

const idsIn = ({ tasks }: GatheredTasks) => [...tasks.keys()];

describe('carryOverQueued', () => {
  it('leaves tasks of which no more is known than that they were queued, from the first of each partition on', () => {
    const gathered = someTasks();
    const carried = carryOverQueued(gathered, 0);
    expect(idsIn(gathered)).to.deep.equal([idOf(1)]);
    expect(idsIn(carried!.folded)).to.deep.equal([2, 3, 4].map(idOf));
    expect(carried!.from).to.deep.equal([
      { topic: 'taskflow.queue.web_scrape.normal', partition: 0, offset: 11 },
      { topic: 'taskflow.queue.web_scrape.high', partition: 0, offset: 5 },
    ]);
    expect(carried!.bytes).to.equal(3 * someTask.payload.length);
  });

  it('leaves nothing where more is known of all', () => {
    const gathered = noTasks();
    add(gathered, 'TaskQueued', 1, 10);
    add(gathered, 'TaskStarted', 1, 0);
    add(gathered, 'TaskSucceeded', 2, 1);
    expect(carryOverQueued(gathered, 0)).to.equal(undefined);
    expect(idsIn(gathered)).to.deep.equal([1, 2].map(idOf));
  });

  it('writes what was left with the rest of its events', () => {
    const { folded } = carryOverQueued(someTasks(), 0)!;
    add(folded, 'TaskStarted', 2, 1);
    const again = carryOverQueued(folded, 1)!;
    expect(idsIn(folded)).to.deep.equal([idOf(2)]);
    expect(folded.tasks.get(idOf(2))!.history.map(({ event }) => event)).to.deep.equal(['TaskQueued', 'TaskStarted']);
    expect(idsIn(again.folded)).to.deep.equal([3, 4].map(idOf));
  });

  it('lets a task wait for half a second, and for one batch in any case', () => {
    const first = carryOverQueued(someTasks(), 0)!.folded;
    const second = carryOverQueued(first, 500)!.folded;
    expect(idsIn(first)).to.deep.equal([]);
    add(second, 'TaskQueued', 5, 13);
    const third = carryOverQueued(second, 501)!.folded;
    expect(idsIn(second)).to.deep.equal([2, 3, 4].map(idOf));
    expect(idsIn(third)).to.deep.equal([idOf(5)]);
    expect(carryOverQueued(third, 60_000)).to.equal(undefined);
  });

  it('leaves no more than so many, those that were queued first', () => {
    const gathered = noTasks();
    for (let n = 0; n < 7_000; n++) add(gathered, 'TaskQueued', n, n);
    const { folded } = carryOverQueued(gathered, 0)!;
    expect(folded.tasks.size).to.equal(6_000);
    expect(idsIn(gathered)[0]).to.equal(idOf(6_000));
  });
});
