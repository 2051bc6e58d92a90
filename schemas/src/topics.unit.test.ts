import { expect } from 'chai';
import {
  eventsTopic,
  PRIORITIES,
  parseTaskTopic,
  poisonKey,
  queueTopic,
  shareGroup,
  systemTopicNames,
  typeNamePattern,
} from './topics.ts';

describe('topic names', () => {
  it('name family, type and priority, and can be taken apart', () => {
    for (const priority of PRIORITIES) {
      expect(queueTopic('web_scrape', priority)).to.equal(`taskflow.queue.web_scrape.${priority}`);
      expect(eventsTopic('web_scrape', priority)).to.equal(`taskflow.events.web_scrape.${priority}`);
      expect(shareGroup('web_scrape', priority)).to.equal(`taskflow.web_scrape.${priority}`);
      expect(parseTaskTopic(queueTopic('web_scrape', priority))).to.deep.equal({
        family: 'queue',
        type: 'web_scrape',
        priority,
      });
      expect(parseTaskTopic(eventsTopic('web_scrape', priority))).to.deep.equal({
        family: 'events',
        type: 'web_scrape',
        priority,
      });
    }
  });

  it('of other topics are not taken for a task’s', () => {
    const others = [
      'taskflow.queue.noop',
      'taskflow.queue.noop.urgent',
      'taskflow.queue.Noop.low',
      'taskflow.queue..low',
    ];
    const more = [
      'other.queue.noop.low',
      'taskflow.audit.noop.low',
      'taskflow.queue.noop.low.old',
      'x.taskflow.queue.noop.low',
    ];
    for (const name of [...systemTopicNames, ...others, ...more, ''])
      expect(parseTaskTopic(name), name).to.equal(undefined);
  });

  it('fit into what Kafka allows, for the longest type', () => {
    const longest = 'a'.repeat(64);
    expect(longest).to.match(typeNamePattern);
    expect(`${longest}a`).not.to.match(typeNamePattern);
    expect(eventsTopic(longest, 'normal').length).to.be.below(249);
  });
});

describe('a type’s name', () => {
  it('is snake case, and never looks like a task id', () => {
    for (const name of ['noop', 'web_scrape', 'x', 'h264_2']) expect(name).to.match(typeNamePattern);
    for (const name of ['', 'Noop', '_x', '2x', 'a.b', 'a-b', 'é', '01999999-0000-7000-8000-000000000001', 'noop\n']) {
      expect(name).not.to.match(typeNamePattern);
    }
  });
});

describe('the key of a poison record', () => {
  it('is where the record lies', () =>
    expect(poisonKey('taskflow.queue.noop.low', 0, 12)).to.equal('taskflow.queue.noop.low/0/12'));
});
