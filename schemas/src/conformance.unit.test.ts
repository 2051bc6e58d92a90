import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createCodec, UndecodableError } from './codec.ts';
import type { RecordName } from './events.ts';
import { evolve, merge, timeline } from './fold.ts';
import { foldCases } from './testing/foldCases.ts';
import { fold } from './testing/taskLogs.ts';
import {
  type CodecVectors,
  conformanceFolder,
  type FoldVectors,
  recordFromJson,
  recordToJson,
} from './testing/vectors.ts';

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, conformanceFolder), 'utf8')) as T;
}

for (const file of ['fold.json', 'fold-random.json']) {
  describe(`conformance/${file}`, () => {
    for (const { name, given, then, timeline: order, notCounted } of read<FoldVectors>(file).cases) {
      it(name, () => {
        const state = fold(given);
        expect(state).to.deep.equal(then);
        expect(fold(given.toReversed()), 'backwards').to.deep.equal(then);
        const parts = given.map((record) => evolve(undefined, record));
        expect(parts.reduceRight(merge), 'merged').to.deep.equal(then);
        const lines = timeline(state.history);
        expect(lines.map((line) => line.eventId)).to.deep.equal(order);
        expect(lines.filter((line) => !line.counted).map((line) => line.eventId)).to.deep.equal(notCounted);
      });
    }
  });
}

describe('conformance/fold.json', () => {
  it('holds every example of the fold: run `npm run conformance -w schemas` after a change', () => {
    const vectors = read<FoldVectors>('fold.json').cases.map(({ name, given }) => ({ name, given }));
    expect(vectors).to.deep.equal(foldCases.map(({ name, given }) => ({ name, given })));
  });
});

describe('conformance/codec.json', () => {
  const { records, evolved, undecodable } = read<CodecVectors>('codec.json');

  for (const { name, schemaId, record, value } of records) {
    it(`reads and writes ${name}`, () => {
      const codec = createCodec(new Map([[record.event as RecordName, schemaId]]));
      expect(codec.encode(recordFromJson(record)).toString('hex')).to.equal(value);
      expect(recordToJson(codec.decode(Buffer.from(value, 'hex')))).to.deep.equal(record);
    });
  }

  for (const { name, schemaId, writerSchema, value, record } of evolved) {
    it(name, () => {
      const codec = createCodec(new Map());
      codec.learn(schemaId, JSON.stringify(writerSchema));
      expect(recordToJson(codec.decode(Buffer.from(value, 'hex')))).to.deep.equal(record);
    });
  }

  for (const { name, schemaId, event, value } of undecodable) {
    it(`refuses a value: ${name}`, () => {
      const codec = createCodec(new Map([[event as RecordName, schemaId]]));
      expect(() => codec.decode(Buffer.from(value, 'hex'))).to.throw(UndecodableError);
    });
  }
});
