import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { headFields } from '../scripts/eventHead.ts';
import { recordNames } from './events.ts';

describe('schemas/README.md', () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

  it('names every record and every field of the head', () => {
    for (const name of [...recordNames, ...headFields]) expect(text).to.include(`\`${name}\``);
  });
});
