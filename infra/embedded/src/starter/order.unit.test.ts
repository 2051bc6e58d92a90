import { expect } from 'chai';
import fc from 'fast-check';
import { type Ordered, startInOrder, stopInOrder } from './order.ts';

/** Any table: each part comes after some of those before it. */
const tables = fc.array(fc.infiniteStream(fc.boolean()), { minLength: 1, maxLength: 8 }).map((rows) =>
  rows.map((after, index): Ordered => {
    const names = Array.from({ length: index }, (_, earlier) => `part-${earlier}`);
    return { name: `part-${index}`, after: names.filter(() => after.next().value) };
  }),
);

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the order of parts', () => {
  it('starts each part after all that it comes after, and stops it before them', () =>
    fc.assert(
      fc.asyncProperty(tables, async (parts) => {
        const running = new Set<string>();
        await startInOrder(parts, async ({ name, after }) => {
          expect([...running]).to.include.members([...after]);
          await Promise.resolve();
          running.add(name);
        });
        expect(running.size).to.equal(parts.length);
        await stopInOrder(parts, async ({ name, after }) => {
          expect([...running]).to.include.members([...after]);
          await Promise.resolve();
          running.delete(name);
        });
        expect(running.size).to.equal(0);
      }),
    ));

  it('starts side by side what does not depend on each other', async () => {
    const begun: string[] = [];
    const gate = Promise.withResolvers<void>();
    const starting = startInOrder(
      [
        { name: 'kafka', after: [] },
        { name: 'postgres', after: [] },
        { name: 'mongo', after: ['postgres'] },
      ],
      async ({ name }) => {
        begun.push(name);
        if (name === 'kafka') await gate.promise;
        if (name === 'mongo') gate.resolve();
      },
    );
    await starting;
    expect(begun).to.deep.equal(['kafka', 'postgres', 'mongo']);
  });

  it('begins nothing more after a failure', async () => {
    const begun: string[] = [];
    const failure = new Error('no disk');
    const error = await failureOf(
      startInOrder(
        [
          { name: 'postgres', after: [] },
          { name: 'mongo', after: ['postgres'] },
        ],
        async ({ name }) => {
          begun.push(name);
          throw failure;
        },
      ),
    );
    expect(error).to.equal(failure);
    expect(begun).to.deep.equal(['postgres']);
  });

  it('refuses a table that names something unknown', async () => {
    const error = await failureOf(startInOrder([{ name: 'mongo', after: ['postgres'] }], async () => {}));
    expect(String(error)).to.include('mongo comes after postgres, which does not stand before it');
  });
});
