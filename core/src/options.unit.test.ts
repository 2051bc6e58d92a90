import { schemaText } from '@taskflow/schemas/registered';
import { expect } from 'chai';
import { platformDefaults, resolveOptions, retryShape, timeoutMsShape } from './options.ts';

describe('resolveOptions', () => {
  it('takes the platform’s defaults where nothing is chosen', () => {
    expect(resolveOptions({})).to.deep.equal(platformDefaults);
  });

  it('takes the type’s defaults before the platform’s, and the submission’s choices before both', () => {
    const ofType = { ...platformDefaults, timeoutMs: 5_000, maxAttempts: 7, notRetryable: ['HTTP_STATUS'] };
    const choices = { priority: 'high', retry: { maxAttempts: 1, backoff: { capMs: 10 } } };
    expect(resolveOptions(choices, ofType)).to.deep.equal({
      priority: 'high',
      maxAttempts: 1,
      backoffBaseMs: 1_000,
      backoffFactor: 2,
      backoffCapMs: 10,
      notRetryable: ['HTTP_STATUS'],
      timeoutMs: 5_000,
    });
  });

  it('takes a choice of 0 or of no codes as a choice', () => {
    const ofType = { ...platformDefaults, notRetryable: ['HTTP_STATUS'] };
    const options = resolveOptions({ retry: { backoff: { baseMs: 0 }, notRetryable: [] } }, ofType);
    expect(options.backoffBaseMs).to.equal(0);
    expect(options.notRetryable).to.deep.equal([]);
  });
});

describe('the shapes of options', () => {
  it('refuse what is out of range or not known', () => {
    for (const timeoutMs of [0, -1, 1.5, 86_400_001, '1'])
      expect(timeoutMsShape.safeParse(timeoutMs).success).to.equal(false);
    for (const retry of [
      { maxAttempts: 0 },
      { tries: 3 },
      { backoff: { factor: 0.5 } },
      { notRetryable: ['timeout'] },
    ]) {
      expect(retryShape.safeParse(retry).success, JSON.stringify(retry)).to.equal(false);
    }
  });

  it('take the limits themselves', () => {
    for (const timeoutMs of [1, 86_400_000]) expect(timeoutMsShape.parse(timeoutMs)).to.equal(timeoutMs);
  });
});

describe('the platform’s defaults', () => {
  it('are those of the Avro schemas', () => {
    const { fields } = JSON.parse(schemaText('TaskTypeRegistered')) as {
      fields: { name: string; default?: unknown }[];
    };
    const defaults = new Map(fields.map((field) => [field.name, field.default]));
    for (const [name, value] of Object.entries(platformDefaults)) expect(defaults.get(name), name).to.deep.equal(value);
  });
});
