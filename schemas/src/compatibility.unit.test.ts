import { expect } from 'chai';
import { type RecordSchema, readSources } from '../scripts/avroSources.ts';
import { incompatibilities } from '../scripts/compatibility.ts';
import { buildAll, readReleased } from '../scripts/released.ts';

const current = buildAll(readSources());

describe('the contract against what was released', () => {
  for (const [version, schemas] of readReleased()) {
    for (const [name, released] of schemas) {
      it(`${name} is FULL compatible with that of ${version}`, () => {
        const now = current.get(name);
        expect(now, 'its records lie on topics that are kept for ever: a record is never removed').not.to.equal(
          undefined,
        );
        expect(incompatibilities(released, now!)).to.deep.equal([]);
      });
    }
  }

  it('has a release to be checked against', () => expect(readReleased().size).to.be.at.least(1));
});

describe('the compatibility check', () => {
  const released = current.get('TaskStarted')!;

  function changed(
    change: (schema: { fields: Record<string, unknown>[] }) => void,
    of: RecordSchema = released,
  ): RecordSchema {
    const copy = structuredClone(of) as unknown as { fields: Record<string, unknown>[] };
    change(copy);
    return copy as unknown as RecordSchema;
  }

  function field(schema: { fields: Record<string, unknown>[] }, name: string): Record<string, unknown> {
    return schema.fields.find((one) => one.name === name)!;
  }

  it('accepts a field with a default that is new, and one that goes', () => {
    const more = changed((schema) => schema.fields.push({ name: 'slot', type: 'int', doc: '', default: 0 }));
    expect(incompatibilities(released, more)).to.deep.equal([]);
    expect(incompatibilities(more, released)).to.deep.equal([]);
  });

  it('accepts another order of the fields and other docs', () => {
    const other = changed((schema) => {
      schema.fields.reverse();
      field(schema, 'leaseMs').doc = 'Said better.';
    });
    expect(incompatibilities(released, other)).to.deep.equal([]);
  });

  it('refuses a new field without a default: the new version could not read old records', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => schema.fields.push({ name: 'slot', type: 'int', doc: '' })),
    );
    expect(faults.join()).to.include('the new version cannot read the released one').and.to.include('slot');
  });

  it('refuses to remove a field without a default: released versions could not read new records', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => schema.fields.splice(0, 1)),
    );
    expect(faults.join()).to.include('the released version cannot read the new one').and.to.include('taskId');
  });

  it('refuses to rename a field, which is to remove one and add another', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => Object.assign(field(schema, 'queueOffset'), { name: 'offset' })),
    );
    expect(faults).to.have.lengthOf(2);
  });

  it('refuses a wider type, which only one side can read', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => Object.assign(field(schema, 'delivery'), { type: 'long' })),
    );
    expect(faults.join()).to.include('the released version cannot read the new one');
  });

  it('refuses to make a field optional, or an optional one certain', () => {
    const optional = changed((schema) =>
      Object.assign(field(schema, 'delivery'), { type: ['null', 'int'], default: null }),
    );
    expect(incompatibilities(released, optional).join()).to.include('the released version cannot read the new one');
    expect(incompatibilities(optional, released).join()).to.include('the new version cannot read the released one');
  });

  it('refuses another default, as two versions would read one record differently', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => Object.assign(field(schema, 'leaseMs'), { default: 60_000 })),
    );
    expect(faults).to.deep.equal(['TaskStarted.leaseMs: its default was 30000 and is 60000']);
  });

  it('refuses another logical type', () => {
    const faults = incompatibilities(
      released,
      changed((schema) => Object.assign(field(schema, 'occurredAt'), { type: 'long' })),
    );
    expect(faults).to.deep.equal(['TaskStarted.occurredAt: its logical type was timestamp-millis and is none']);
  });

  it('refuses another name of the record', () => {
    const renamed = { ...released, name: 'RunStarted' };
    expect(incompatibilities(released, renamed)).to.have.length.greaterThan(0);
  });

  it('looks into shared records, where a record holds them', () => {
    const queued = current.get('TaskQueued')!;
    const other = changed((schema) => {
      const task = field(schema, 'task').type as { fields: Record<string, unknown>[] };
      field(task, 'timeoutMs').default = 1;
      task.fields.push({ name: 'weight', type: 'int', doc: '' });
    }, queued);
    const faults = incompatibilities(queued, other).join();
    expect(faults).to.include('TaskQueued.task.timeoutMs').and.to.include('weight');
  });

  it('looks into shared records that are optional', () => {
    const heartbeat = current.get('TaskHeartbeat')!;
    const other = changed((schema) => {
      const [, task] = field(schema, 'task').type as [string, { fields: Record<string, unknown>[] }];
      task.fields.push({ name: 'weight', type: 'int', doc: '' });
    }, heartbeat);
    expect(incompatibilities(heartbeat, other)).to.have.length.greaterThan(0);
  });
});
