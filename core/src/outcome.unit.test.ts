import { createCodec } from '@taskflow/schemas/codec';
import { expect } from 'chai';
import {
  decideOutcome,
  maxDetailsCharacters,
  maxMessageCharacters,
  maxResultBytes,
  type OutcomeContext,
  placeOfResult,
} from './outcome.ts';
import { queuedEvent } from './testing/queuedEvent.ts';

const queued = queuedEvent({ attempt: 2, failures: 1 });
const context: OutcomeContext = {
  now: 1_760_000_001_000,
  eventId: '01999999-0000-7000-8000-000000000009',
  workerId: 'worker-1.4711.k3x9',
  durationMs: 12,
  resultStorage: 'mongo',
  resultTtlMs: null,
};
const error = {
  code: 'HTTP_STATUS',
  message: 'https://example.com/ answered 404',
  retryable: false,
  details: '{"status":404}',
};

describe('placeOfResult', () => {
  for (const [size, place] of [
    [0, 'event'],
    [maxResultBytes, 'event'],
    [maxResultBytes + 1, 'blob'],
    [1_000_000, 'blob'],
    [1_000_001, 'nowhere'],
  ] as const) {
    it(`${size} bytes: ${place}`, () => {
      expect(placeOfResult(size, 1_000_000)).to.equal(place);
    });
  }
});

describe('decideOutcome', () => {
  it('writes the result into TaskSucceeded, with its name in the store', () => {
    const event = decideOutcome(queued, { kind: 'succeeded', value: '{"title":"€"}', preview: '€' }, context);
    expect(event).to.deep.include({
      event: 'TaskSucceeded',
      taskId: queued.taskId,
      attempt: 2,
      workerId: 'worker-1.4711.k3x9',
      durationMs: 12,
      result: {
        storage: 'mongo',
        value: '{"title":"€"}',
        ref: `${queued.taskId}.0.2.worker-1.4711.k3x9`,
        preview: '€',
        size: 15,
        contentType: 'application/json',
        sha256: '164404ccfbe79b49b87902abcbf97e0a6cb3f53361a79d7e247c5aa6e4fe6de0',
        ttlMs: null,
      },
    });
  });

  it('names no store for an inline result', () => {
    const event = decideOutcome(queued, { kind: 'succeeded', value: 'null' }, { ...context, resultStorage: 'inline' });
    expect(event).to.have.nested.property('result.ref', null);
    expect(event).to.have.nested.property('result.storage', 'inline');
  });

  it('takes a result of exactly the limit and fails one byte more with RESULT_TOO_LARGE', () => {
    const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
    const atLimit = decideOutcome(queued, { kind: 'succeeded', value: text(maxResultBytes) }, context);
    expect(atLimit).to.include({ event: 'TaskSucceeded' });
    const over = decideOutcome(queued, { kind: 'succeeded', value: text(maxResultBytes + 1) }, context);
    expect(over).to.include({ event: 'TaskFailed', failures: 2 });
    expect(over).to.have.nested.property('error.code', 'RESULT_TOO_LARGE');
    expect(over).to.have.nested.property('error.retryable', false);
  });

  it('counts bytes, not characters', () => {
    const value = JSON.stringify('€'.repeat(maxResultBytes / 2));
    expect(decideOutcome(queued, { kind: 'succeeded', value }, context)).to.include({ event: 'TaskFailed' });
  });

  it('ends the task at the first failure, retryable or not', () => {
    for (const retryable of [true, false]) {
      const event = decideOutcome(queuedEvent(), { kind: 'failed', error: { ...error, retryable } }, context);
      expect(event).to.deep.include({ event: 'TaskFailed', failures: 1, error: { ...error, retryable } });
    }
  });

  it('schedules the next attempt where an orchestrator runs, and the task allows one', () => {
    const event = decideOutcome(queued, { kind: 'failed', error: { ...error, retryable: true } }, context, {
      random: 0.5,
    });
    expect(event).to.deep.include({
      event: 'TaskRetryScheduled',
      attempt: 2,
      failures: 2,
      recoveries: 0,
      retryAt: context.now + 1_000,
      task: queued.task,
    });
    const last = decideOutcome(queued, { kind: 'failed', error }, context, { random: 0.5 });
    expect(last).to.include({ event: 'TaskFailed', failures: 2 });
  });

  it('bounds an error’s message and details', () => {
    const long = {
      ...error,
      message: '😀'.repeat(maxMessageCharacters),
      details: '1'.repeat(maxDetailsCharacters + 1),
    };
    const event = decideOutcome(queued, { kind: 'failed', error: long }, context);
    expect(event).to.have.nested.property('error.details', null);
    if (event.event !== 'TaskFailed') throw new Error(`expected a TaskFailed, not ${event.event}`);
    expect(event.error.message).to.have.lengthOf(maxMessageCharacters);
    expect(event.error.message.isWellFormed()).to.equal(true);
  });

  it('gives events that can be encoded', () => {
    const codec = createCodec(
      new Map([
        ['TaskSucceeded', 1],
        ['TaskFailed', 2],
      ]),
    );
    for (const outcome of [
      { kind: 'succeeded', value: '1' },
      { kind: 'failed', error },
    ] as const) {
      const event = decideOutcome(queued, outcome, context);
      expect(codec.decode(codec.encode(event))).to.deep.equal(event);
    }
  });
});
