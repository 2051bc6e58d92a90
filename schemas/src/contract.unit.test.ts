import { expect } from 'chai';
import { type AvroType, isOptional, readSources, sharedRecords } from '../scripts/avroSources.ts';
import { checkHeads, hasHead } from '../scripts/eventHead.ts';
import { buildAll } from '../scripts/released.ts';
import { recordNames, taskEventNames } from './events.ts';
import { namespace, schemaText, subjectOf } from './registered.ts';

const sources = readSources();

describe('the contract’s sources', () => {
  for (const record of sources.values()) {
    it(`${record.name} is of the contract’s namespace and explains itself and every field`, () => {
      expect(record.namespace).to.equal(namespace);
      expect(record.doc).to.match(/\.$|\)$/);
      for (const field of record.fields) expect(field.doc, field.name).to.match(/[.)]$/);
    });

    it(`${record.name} has optional fields with null first and null as default, and no other default of null`, () => {
      for (const field of record.fields) {
        if (isOptional(field.type)) {
          expect(field.type[0], field.name).to.equal('null');
          expect(field.default, field.name).to.equal(null);
        } else expect(field.default, field.name).not.to.equal(null);
      }
    });
  }

  it('begin every event of a task with the head, written alike', () => {
    expect(() => checkHeads(sources)).not.to.throw();
    const events = [...sources.values()].filter(hasHead).map((record) => record.name);
    expect(events).to.have.members([...taskEventNames]);
  });

  it('leave no event of a task without the whole head', () => {
    for (const record of sources.values()) {
      const looksLikeOne = ['taskId', 'eventId', 'attempt'].every((name) =>
        record.fields.some((field) => field.name === name),
      );
      expect(hasHead(record), record.name).to.equal(looksLikeOne);
    }
  });
});

describe('a registered schema', () => {
  const shared = sharedRecords(sources);

  it('stands alone: every shared record is written out before it is named', () => {
    for (const [name, schema] of buildAll(sources)) {
      const written = new Set<string>();
      const visit = (type: AvroType): void => {
        if (typeof type === 'string') {
          if (shared.has(type)) expect(written, `${name} names ${type}`).to.include(type);
        } else if (isOptional(type)) visit(type[1]);
        else if (type.type === 'array') visit(type.items);
        else if ('fields' in type) {
          written.add(type.name);
          for (const field of type.fields) visit(field.type);
        }
      };
      visit(schema);
    }
  });

  it('is there for every record, under its full name', () => {
    for (const name of recordNames) {
      const schema = JSON.parse(schemaText(name)) as { name: string; namespace: string };
      expect(`${schema.namespace}.${schema.name}`).to.equal(subjectOf(name));
    }
  });
});
