import { createCodec } from '@taskflow/schemas/codec';
import { expect } from 'chai';
import { chooseEventsPartition } from './eventsPartition.ts';
import { platformDefaults } from './options.ts';
import { decideSubmit, decideWhen } from './submit.ts';

const context = {
  now: 1_760_000_000_000,
  taskId: '01999999-0000-7000-8000-000000000001',
  eventId: '01999999-0000-7000-8000-000000000002',
  userId: '00000000-0000-4000-8000-000000000001',
  eventsPartitions: 3,
  defaults: platformDefaults,
};

describe('decideSubmit', () => {
  it('gives attempt 1 of generation 0, with every option filled in', () => {
    expect(decideSubmit({ type: 'web_scrape', payload: { url: 'https://example.com/' } }, context)).to.deep.equal({
      event: 'TaskQueued',
      taskId: context.taskId,
      generation: 0,
      attempt: 1,
      workerId: '',
      eventId: context.eventId,
      userId: context.userId,
      type: 'web_scrape',
      priority: 'normal',
      occurredAt: context.now,
      runId: null,
      stepId: null,
      task: {
        payload: '{"url":"https://example.com/"}',
        maxAttempts: 3,
        backoffBaseMs: 1_000,
        backoffFactor: 2,
        backoffCapMs: 300_000,
        notRetryable: [],
        timeoutMs: 30_000,
        expiresAt: null,
        tags: [],
        idempotencyKey: null,
        bodyHash: null,
        scheduleId: null,
      },
      failures: 0,
      recoveries: 0,
      eventsPartition: chooseEventsPartition(context.taskId, 3),
      cause: 'submit',
      check: false,
      actor: null,
      reason: null,
    });
  });

  it('takes what the submitter chose, the key and the mark of a possible second copy', () => {
    const submission = {
      type: 'noop',
      payload: {},
      priority: 'high' as const,
      tags: ['a', 'b'],
      timeoutMs: 1_000,
      expiresAt: '2026-01-01T00:00:00+01:00',
    };
    const queued = decideSubmit(submission, { ...context, idempotency: { key: 'k', bodyHash: 'ff' }, check: true });
    expect(queued).to.include({ priority: 'high', check: true });
    expect(queued.task).to.deep.include({
      tags: ['a', 'b'],
      timeoutMs: 1_000,
      expiresAt: Date.UTC(2025, 11, 31, 23),
      idempotencyKey: 'k',
      bodyHash: 'ff',
    });
  });

  it('gives an event that can be encoded', () => {
    const queued = decideSubmit({ type: 'noop', payload: { echo: '€' } }, context);
    const codec = createCodec(new Map([['TaskQueued', 1]]));
    expect(codec.decode(codec.encode(queued))).to.deep.equal(queued);
  });
});

describe('decideWhen', () => {
  const queued = decideSubmit({ type: 'noop', payload: {} }, context);

  it('queues at once what has no runAt, or one that has come', () => {
    for (const runAt of [null, 0, context.now - 1, context.now]) expect(decideWhen(queued, runAt)).to.equal(queued);
  });

  it('schedules what is for later, with all that its first attempt needs', () => {
    const { taskId, eventId, userId, type, priority, task } = queued;
    const head = { taskId, generation: 0, attempt: 1, workerId: '', eventId, userId, type, priority };
    expect(decideWhen(queued, context.now + 1)).to.deep.equal({
      event: 'TaskScheduled',
      ...head,
      occurredAt: context.now,
      runId: null,
      stepId: null,
      task,
      runAt: context.now + 1,
    });
  });
});
