import { expect } from 'chai';
import { laneKey, laneParameters, lanesOf, taskTopics } from './topics.ts';

describe('topics and lanes', () => {
  it('are both families of each type, in each priority', () => {
    expect(taskTopics([{ type: 'noop' }])).to.deep.equal([
      'taskflow.queue.noop.high',
      'taskflow.events.noop.high',
      'taskflow.queue.noop.normal',
      'taskflow.events.noop.normal',
      'taskflow.queue.noop.low',
      'taskflow.events.noop.low',
    ]);
  });

  it('makes a lane of each partition of an events topic, and of nothing else', () => {
    const lanes = lanesOf([
      { topic: 'taskflow.queue.noop.low', partition: 0 },
      { topic: 'taskflow.events.noop.low', partition: 2 },
      { topic: 'taskflow.control', partition: 0 },
    ]);
    expect(lanes).to.deep.equal([{ type: 'noop', priority: 'low', eventsPartition: 2 }]);
    expect(lanes.map(laneKey)).to.deep.equal(['noop.low.2']);
    expect(laneParameters(lanes)).to.deep.equal([['noop'], ['low'], [2]]);
  });
});
