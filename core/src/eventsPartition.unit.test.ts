import { expect } from 'chai';
import fc from 'fast-check';
import { chooseEventsPartition, murmur2 } from './eventsPartition.ts';

describe('murmur2', () => {
  // From Apache Kafka's own test of its default partitioner (UtilsTest).
  const known: Readonly<Record<string, number>> = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    abc: 479470107,
  };
  for (const [text, hash] of Object.entries(known)) {
    it(`of ${text} is Kafka's`, () => expect(murmur2(Buffer.from(text))).to.equal(hash));
  }
});

describe('chooseEventsPartition', () => {
  it('names a partition that there is, the same each time', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 100 }), (taskId, partitions) => {
        const partition = chooseEventsPartition(taskId, partitions);
        expect(partition).to.be.within(0, partitions - 1);
        expect(chooseEventsPartition(taskId, partitions)).to.equal(partition);
      }),
    );
  });

  it('spreads tasks evenly', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 3_000; i++)
      counts[chooseEventsPartition(`01999999-0000-7000-8000-${String(i).padStart(12, '0')}`, 3)]!++;
    for (const count of counts) expect(count).to.be.within(900, 1_100);
  });

  it('refuses a topic without partitions', () => {
    expect(() => chooseEventsPartition('x', 0)).to.throw(RangeError);
  });
});
