import { expect } from 'chai';
import { Histogram as ReferenceHistogram, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';

const buckets = [0.001, 0.01, 0.1, 1];
const values = [0, 0.001, 0.0011, 0.05, 0.1, 0.7, 1, 1.5, 1_000];

describe('a histogram', () => {
  it('is shown as prom-client shows its own', async () => {
    const ours = new Registry();
    const theirs = new Registry();
    const one = new Histogram(ours, 'seconds', 'How long.', buckets, ['type', 'route']);
    const two = new ReferenceHistogram({
      name: 'seconds',
      help: 'How long.',
      buckets,
      labelNames: ['type', 'route'],
      registers: [theirs],
    });
    for (const labels of [
      { type: 'noop', route: '/tasks/"a"' },
      { type: 'web_scrape', route: '/' },
    ]) {
      const child = one.labels(labels);
      for (const value of values) {
        child.observe(value);
        one.observe(labels, value);
        two.observe(labels, value);
        two.observe(labels, value);
      }
    }
    expect(await ours.metrics()).to.equal(await theirs.metrics());
  });

  it('is shown with zeros before anything is observed, where it has no labels', async () => {
    const ours = new Registry();
    const theirs = new Registry();
    const one = new Histogram(ours, 'seconds', 'How long.', buckets);
    new ReferenceHistogram({ name: 'seconds', help: 'How long.', buckets, registers: [theirs] });
    expect(await ours.metrics()).to.equal(await theirs.metrics());
    one.observe(0.02);
    expect(await ours.metrics()).to.contain('seconds_bucket{le="0.1"} 1\n');
  });
});
