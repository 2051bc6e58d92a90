import { expect } from 'chai';
import { acquisitionOf } from './acquisition.ts';

describe('an acquisition', () => {
  const recordLimit = 1;
  const batches = 0;

  it('is of so many records where they are fewer than a batch may have', () => {
    expect(acquisitionOf(499, 500)).to.deep.equal({ mode: recordLimit, maxRecords: 499, batchSize: 499 });
    expect(acquisitionOf(0, 500)).to.deep.equal({ mode: recordLimit, maxRecords: 0, batchSize: 1 });
  });

  it('is of whole batches where one fits, and asks for so few that the last one still does', () => {
    expect(acquisitionOf(500, 500)).to.deep.equal({ mode: batches, maxRecords: 1, batchSize: 500 });
    expect(acquisitionOf(1_200, 500)).to.deep.equal({ mode: batches, maxRecords: 701, batchSize: 500 });
  });

  it('is of so many records where batches may be of any size', () => {
    expect(acquisitionOf(5_000, undefined)).to.deep.equal({ mode: recordLimit, maxRecords: 5_000, batchSize: 5_000 });
  });
});
