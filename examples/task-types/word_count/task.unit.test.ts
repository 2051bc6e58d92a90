import { runTask } from '@taskflow/workers/testing';
import { expect } from 'chai';
import wordCount from './task.ts';

describe('word_count', () => {
  it('counts the words of a text', async () => {
    expect(await runTask(wordCount, { text: ' one  two\nthree ' })).to.deep.equal({ words: 3 });
    expect(await runTask(wordCount, { text: '' })).to.deep.equal({ words: 0 });
  });

  it('refuses what is no text', async () => {
    const refused = await runTask(wordCount, { text: 7 as never }).catch((error: Error) => error);
    expect(refused).to.be.an('error').with.property('name', 'ZodError');
  });
});
