import { expect } from 'chai';
import { renderTable } from './table.ts';

describe('renderTable', () => {
  it('aligns numbers to the right and text to the left, and groups digits', () => {
    const rows = [
      { process: 'kafka', tasks: 200_000, micros: 7.254 },
      { process: 'api', tasks: 3_000, micros: 120.04 },
    ];
    expect(renderTable(rows).split('\n')).to.deep.equal([
      'process    tasks  micros',
      '-------  -------  ------',
      'kafka    200,000    7.25',
      'api        3,000   120.0',
    ]);
  });

  it('is empty without rows', () => {
    expect(renderTable([])).to.equal('');
  });
});
