import { expect } from 'chai';
import { z } from 'zod';
import { fieldErrorsOf, fieldPath, MAX_FIELD_ERRORS, pointerSegments } from './fieldErrors.ts';

describe('field errors', () => {
  it('writes paths as a JavaScript expression would', () => {
    expect(fieldPath(['tasks', 1, 'payload', 'url'])).to.equal('tasks[1].payload.url');
    expect(fieldPath(['headers', 'content-type'])).to.equal('headers["content-type"]');
    expect(fieldPath([])).to.equal('');
  });

  it('names each unknown field itself', () => {
    const result = z.strictObject({ tasks: z.array(z.strictObject({ type: z.string() })) }).safeParse({
      tasks: [{ type: 'a' }, { type: 'b', userId: 'x', status: 'y' }],
      role: 'admin',
    });
    expect(fieldErrorsOf(result.error as z.ZodError)).to.deep.equal([
      { path: 'tasks[1].userId', message: 'is not a known field' },
      { path: 'tasks[1].status', message: 'is not a known field' },
      { path: 'role', message: 'is not a known field' },
    ]);
  });

  it('lists a bounded number', () => {
    const result = z.array(z.string()).safeParse(Array.from({ length: 1_000 }, (_, i) => i));
    expect(fieldErrorsOf(result.error as z.ZodError)).to.have.length(MAX_FIELD_ERRORS);
  });

  it('reads JSON pointers', () => {
    expect(pointerSegments('')).to.deep.equal([]);
    expect(pointerSegments('/a~1b/0/~01')).to.deep.equal(['a/b', 0, '~1']);
  });
});
