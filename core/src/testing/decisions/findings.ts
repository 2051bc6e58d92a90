import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { nothingFound, withFound } from '../../findings.ts';
import { cancelled, failed, handedOver, heartbeat, onLog, retryScheduled, started, succeeded } from '../events.ts';
import { queuedEvent } from '../queuedEvent.ts';
import type { Decision } from './decision.ts';

interface Given {
  readonly record: { readonly queued: TaskQueued; readonly partition: number; readonly offset: number };
  readonly events: readonly { readonly offset: number; readonly event: TaskEvent }[];
}

const other = 'worker-2.4712.p8q1';
const attempt2 = { attempt: 2 };

function given(events: readonly TaskEvent[], queued: Partial<TaskQueued> = attempt2): Given {
  return { record: { queued: queuedEvent(queued), partition: 0, offset: 7 }, events: onLog(events) };
}

const nothing = { settled: null, owner: null, lastStart: null };
const owner = { partition: 0, offset: 7 };
const settled = (by: string) => ({ ...nothing, settled: by });

export const findings: Decision<Given> = {
  name: 'findings',
  about:
    'What the events partition says of a record’s attempt, read in the log’s order: whether it is settled (and by what), from which record it was started first, its last start. The record of the cases is attempt 2 of generation 0.',
  cases: [
    { name: 'nothing', given: given([]), expected: nothing },
    {
      name: 'what was before says nothing',
      given: given([started({ attempt: 1 }), handedOver({ attempt: 1 }), retryScheduled({ attempt: 1 })]),
      expected: nothing,
    },
    {
      name: 'events of another task say nothing',
      given: given([succeeded({ ...attempt2, taskId: '01999999-0000-7000-8000-0000000000ff' })]),
      expected: nothing,
    },
    {
      name: 'a start',
      given: given([started(attempt2)]),
      expected: { settled: null, owner, lastStart: { workerId: 'worker-1.4711.k3x9', starts: 1, offset: 200 } },
    },
    {
      name: 'of two starts the last',
      given: given([started(attempt2), started(attempt2, { workerId: other, starts: 2 })]),
      expected: { settled: null, owner, lastStart: { workerId: other, starts: 2, offset: 201 } },
    },
    {
      name: 'a start that came late does not set the count back',
      given: given([started(attempt2, { workerId: other, starts: 2 }), started(attempt2)]),
      expected: { settled: null, owner, lastStart: { workerId: 'worker-1.4711.k3x9', starts: 2, offset: 201 } },
    },
    {
      name: 'a plain heartbeat settles nothing',
      given: given([heartbeat(attempt2)]),
      expected: nothing,
    },
    { name: 'a hand-over settles', given: given([handedOver(attempt2)]), expected: settled('handed-over') },
    { name: 'a retry settles', given: given([retryScheduled(attempt2)]), expected: settled('retry-scheduled') },
    { name: 'a success settles', given: given([succeeded(attempt2)]), expected: settled('ended') },
    { name: 'a failure settles', given: given([failed(attempt2)]), expected: settled('ended') },
    { name: 'a cancel settles', given: given([cancelled(attempt2)]), expected: settled('ended') },
    {
      name: 'a late success of an older attempt settles',
      given: given([succeeded({ attempt: 1 })]),
      expected: settled('ended'),
    },
    {
      name: 'anything of a later attempt settles',
      given: given([started({ attempt: 3 })]),
      expected: settled('superseded'),
    },
    {
      name: 'anything of a later generation settles',
      given: given([heartbeat({ generation: 1 })]),
      expected: settled('superseded'),
    },
    {
      name: 'the end of an older generation does not',
      given: given([failed({ attempt: 9 })], { generation: 1, attempt: 1 }),
      expected: nothing,
    },
    {
      name: 'started first from another record: this one is a copy',
      given: given([started(attempt2, { queueOffset: 9 })]),
      expected: {
        settled: 'copy',
        owner: { partition: 0, offset: 9 },
        lastStart: { workerId: 'worker-1.4711.k3x9', starts: 1, offset: 200 },
      },
    },
    {
      name: 'started first from this record, then from a copy: this one stays the one that counts',
      given: given([started(attempt2), started(attempt2, { queueOffset: 9, workerId: other })]),
      expected: { settled: null, owner, lastStart: { workerId: other, starts: 1, offset: 201 } },
    },
    {
      name: 'what settled first is told',
      given: given([handedOver(attempt2), succeeded(attempt2)]),
      expected: settled('handed-over'),
    },
  ],
  decide({ record, events }) {
    let found = nothingFound;
    for (const { event, offset } of events) found = withFound(found, record, event, offset);
    const { settled = null, owner = null, lastStart = null } = found;
    return { settled, owner, lastStart };
  },
};
