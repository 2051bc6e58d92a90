import { expect } from 'chai';
import fc from 'fast-check';
import { createCodec, UndecodableError, UnencodableError, UnknownRecordError, UnknownSchemaError } from './codec.ts';
import { isTaskEvent, recordNames, type TaskLogLine, type TaskStarted, taskEventNames } from './events.ts';
import { schemaText } from './registered.ts';
import { sampleRecords } from './testing/sampleRecords.ts';
import { taskEvent } from './testing/taskEvents.ts';

const ids = new Map(recordNames.map((name, index) => [name, 100 + index]));
const codec = createCodec(ids);

describe('the codec', () => {
  for (const record of sampleRecords) {
    it(`reads back the ${record.event} that it wrote`, () => {
      const value = codec.encode(record);
      expect(value.readUInt8(0)).to.equal(0);
      expect(value.readUInt32BE(1)).to.equal(ids.get(record.event));
      expect(codec.nameOf(value)).to.equal(record.event);
      expect(codec.decode(value)).to.deep.equal(record);
    });
  }

  it('has a sample of every record', () => {
    expect(new Set(sampleRecords.map((record) => record.event))).to.deep.equal(new Set(recordNames));
  });

  it('sets the discriminant as a property of the record’s own', () => {
    expect(Object.hasOwn(codec.decode(codec.encode(taskEvent('TaskStarted'))), 'event')).to.equal(true);
  });

  it('writes records of any size, and leaves those before untouched', () => {
    const line = (length: number): TaskLogLine => {
      const sample = sampleRecords.find((record) => record.event === 'TaskLogLine')!;
      return { ...sample, message: '€'.repeat(length) };
    };
    const lines = [0, 10, 20_000, 5, 21_800, 30_000, 500_000, 1, 21_000, 21_000].map(line);
    const values = lines.map((record) => codec.encode(record));
    expect(values.map((value) => codec.decode(value))).to.deep.equal(lines);
  });

  it('fills slab after slab without a byte of one record in another', () => {
    const records = Array.from({ length: 2_000 }, () => taskEvent('TaskStarted'));
    const values = records.map((record) => codec.encode(record));
    expect(values.map((value) => codec.decode(value))).to.deep.equal(records);
  });
});

describe('isTaskEvent', () => {
  it('holds for the events that begin with the head', () => {
    const names = new Set(sampleRecords.filter(isTaskEvent).map((record) => record.event));
    expect(names).to.deep.equal(new Set(taskEventNames));
  });
});

describe('the encoder', () => {
  it('names the field that breaks the schema', () => {
    const broken = { ...taskEvent('TaskStarted'), queueOffset: undefined } as unknown as TaskStarted;
    expect(() => codec.encode(broken)).to.throw(UnencodableError, 'TaskStarted.queueOffset is undefined, not "long"');
  });

  it('names a field within a shared record', () => {
    const queued = taskEvent('TaskQueued');
    const broken = { ...queued, task: { ...queued.task, tags: [1] } } as unknown as TaskStarted;
    expect(() => codec.encode(broken)).to.throw(UnencodableError, 'TaskQueued.task.tags.0 is 1, not "string"');
  });

  it('writes the next record right after one that it refused', () => {
    const record = taskEvent('TaskStarted');
    expect(() => codec.encode({ ...record, workerId: null } as unknown as TaskStarted)).to.throw(UnencodableError);
    expect(codec.decode(codec.encode(record))).to.deep.equal(record);
  });

  it('refuses a record whose schema has no id', () => {
    expect(() => createCodec(new Map()).encode(taskEvent('TaskStarted'))).to.throw(UnencodableError, 'TaskStarted');
  });
});

describe('the decoder', () => {
  const value = codec.encode(taskEvent('TaskQueued'));

  it('tells a schema that it does not know from poison', () => {
    const strange = Buffer.from(value);
    strange.writeUInt32BE(9_999, 1);
    expect(() => codec.decode(strange))
      .to.throw(UnknownSchemaError)
      .with.property('schemaId', 9_999);
    expect(codec.nameOf(strange)).to.equal(undefined);
  });

  it('refuses what is not in wire format', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from([0, 0, 0, 0]), Buffer.from('{"taskId":1}')]) {
      expect(() => codec.decode(bytes)).to.throw(UndecodableError, 'magic');
      expect(codec.nameOf(bytes)).to.equal(undefined);
    }
  });

  it('refuses a body that is cut off, wherever it is cut', () => {
    for (let end = 5; end < value.length; end++) {
      expect(() => codec.decode(value.subarray(0, end)), `cut at ${end}`).to.throw(UndecodableError);
    }
  });

  it('refuses bytes behind the body', () => {
    expect(() => codec.decode(Buffer.concat([value, Buffer.from([0])]))).to.throw(UndecodableError, '1 bytes follow');
  });

  it('either reads or refuses whatever becomes of a value’s bytes', () => {
    const values = sampleRecords.map((record) => codec.encode(record));
    const damaged = fc
      .record({
        value: fc.constantFrom(...values),
        at: fc.nat(),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
        end: fc.nat(),
      })
      .map(({ value, at, bytes, end }) => {
        const copy = Buffer.from(value);
        copy.set(
          bytes.subarray(0, copy.length - 5),
          5 + (at % (copy.length - 5 - Math.min(bytes.length, copy.length - 5) + 1)),
        );
        return end % 4 === 0 ? copy.subarray(0, 5 + (end % (copy.length - 5))) : copy;
      });
    fc.assert(
      fc.property(damaged, (value) => {
        try {
          expect(codec.decode(value).event).to.equal(codec.nameOf(value));
        } catch (error) {
          expect(error).to.be.instanceOf(UndecodableError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses an array that claims more items than there are bytes, without allocating them', () => {
    // A 0 for each number and text of the registration up to its array, then an array of 2⁵² items.
    const header = value.subarray(0, 1);
    const id = Buffer.alloc(4);
    id.writeUInt32BE(ids.get('TaskTypeRegistered')!);
    const untilArray = Buffer.alloc(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 8 + 1);
    const claim = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => codec.decode(Buffer.concat([header, id, untilArray, claim]))).to.throw(UndecodableError, 'claims');
  });
});

describe('a codec that learns a schema', () => {
  const written = taskEvent('TaskStarted');

  /** TaskStarted as another version of the contract may have it. */
  function otherVersion(change: (fields: { name: string }[]) => void): string {
    const schema = JSON.parse(schemaText('TaskStarted')) as { fields: { name: string }[] };
    change(schema.fields);
    return JSON.stringify(schema);
  }

  /** The body is that of this version: the two differ by fields at the end, which avsc writes with the same bytes. */
  function withId(id: number, more: readonly number[] = [], less = 0): Buffer {
    const value = Buffer.from(codec.encode(written));
    value.writeUInt32BE(id, 1);
    return Buffer.concat([value.subarray(0, value.length - less), Buffer.from(more)]);
  }

  it('reads what a newer version wrote, without its new field', () => {
    const newer = otherVersion((fields) => fields.push({ name: 'slot', type: 'int', default: 0 } as { name: string }));
    expect(codec.learn(7, newer)).to.equal('io.taskflow.events.TaskStarted');
    expect(codec.decode(withId(7, [6]))).to.deep.equal(written);
    expect(codec.nameOf(withId(7, [6]))).to.equal('TaskStarted');
  });

  it('reads what an older version wrote, and fills in the default', () => {
    const older = otherVersion((fields) =>
      fields.splice(
        fields.findIndex((field) => field.name === 'leaseMs'),
        1,
      ),
    );
    const older7 = createCodec(new Map([['TaskStarted', 7]]));
    older7.learn(8, older);
    const value = codec.encode(written);
    // leaseMs (30,000: three bytes) lies before queuePartition (one byte) and queueOffset (one byte).
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, 8]), value.subarray(5, -5), value.subarray(-2)]);
    expect(older7.decode(body)).to.deep.equal({ ...written, leaseMs: 30_000 });
  });

  it('reads one field alone, whatever version wrote it, and nothing of another record or of half a one', () => {
    const newer = otherVersion((fields) => fields.push({ name: 'slot', type: 'int', default: 0 } as { name: string }));
    codec.learn(7, newer);
    const workerOf = codec.fieldReader('TaskStarted', 'workerId');
    expect(workerOf(codec.encode(written))).to.equal(written.workerId);
    expect(workerOf(withId(7, [6]))).to.equal(written.workerId);
    expect(workerOf(withId(7, [6]).subarray(0, 20))).to.equal(undefined);
    expect(workerOf(Buffer.from('xy'))).to.equal(undefined);
    expect(codec.fieldReader('TaskFailed', 'failures')(codec.encode(written))).to.equal(undefined);
  });

  it('refuses a newer version’s array that claims more than there is, though it only skips it', () => {
    const newer = otherVersion((fields) =>
      fields.push({ name: 'notes', type: { type: 'array', items: 'string' }, default: [] } as unknown as {
        name: string;
      }),
    );
    codec.learn(9, newer);
    const claim = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    expect(() => codec.decode(withId(9, claim))).to.throw(UndecodableError, 'claims');
  });

  it('passes over a record that this version does not have', () => {
    codec.learn(10, '{"type":"record","name":"TaskPraised","namespace":"io.taskflow.events","fields":[]}');
    const value = Buffer.from([0, 0, 0, 0, 10]);
    expect(codec.nameOf(value)).to.equal(undefined);
    expect(() => codec.decode(value))
      .to.throw(UnknownRecordError)
      .with.property('recordName', 'io.taskflow.events.TaskPraised');
  });

  it('refuses a schema from which this version cannot be read', () => {
    const incompatible = otherVersion((fields) => fields.splice(0, 1));
    expect(() => codec.learn(11, incompatible)).to.throw('taskId');
  });

  it('is not misled by a record of the same name in another namespace', () => {
    codec.learn(12, '{"type":"record","name":"TaskStarted","namespace":"com.example","fields":[]}');
    expect(codec.nameOf(Buffer.from([0, 0, 0, 0, 12]))).to.equal(undefined);
  });
});
