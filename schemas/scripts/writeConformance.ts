/** Writes `schemas/conformance`: the examples of the fold and the codec as vectors for every language. */
import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { createCodec } from '../src/codec.ts';
import { recordNames, type TaskflowRecord } from '../src/events.ts';
import { type RecordedEvent, timeline } from '../src/fold.ts';
import { schemaText } from '../src/registered.ts';
import { foldCases } from '../src/testing/foldCases.ts';
import { sampleRecords } from '../src/testing/sampleRecords.ts';
import { taskEvent } from '../src/testing/taskEvents.ts';
import { anyLogWithCopies, fold } from '../src/testing/taskLogs.ts';
import { type CodecVectors, conformanceFolder, type FoldVectors, recordToJson } from '../src/testing/vectors.ts';

function foldVector(name: string, given: readonly RecordedEvent[]): FoldVectors['cases'][number] {
  const then = fold(given);
  const lines = timeline(then.history);
  const notCounted = lines.filter((line) => !line.counted).map((line) => line.eventId);
  return { name, given, then, timeline: lines.map((line) => line.eventId), notCounted };
}

/** Logs that make no sense, so that an implementation agrees beyond what the examples show. */
function randomVectors(): FoldVectors {
  const logs = fc.sample(anyLogWithCopies, { numRuns: 40, seed: 8 });
  return { cases: logs.map(({ withCopies }, n) => foldVector(`random log ${n}`, withCopies)) };
}

const idOfName = new Map(recordNames.map((name, index) => [name, 100 + index]));
const codec = createCodec(idOfName);

function recordVector(record: TaskflowRecord, n: number): CodecVectors['records'][number] {
  const schemaId = idOfName.get(record.event)!;
  return {
    name: `${record.event}, sample ${n}`,
    schemaId,
    record: recordToJson(record),
    value: codec.encode(record).toString('hex'),
  };
}

const started = taskEvent('TaskStarted', {
  eventId: '01999999-3000-7000-8000-000000000001',
  occurredAt: 1_760_000_000_000,
});

/** TaskStarted as another version of the contract may have it. */
function otherVersion(change: (fields: unknown[]) => void): unknown {
  const schema = JSON.parse(schemaText('TaskStarted')) as { fields: unknown[] };
  change(schema.fields);
  return schema;
}

function withId(schemaId: number, body: Buffer): string {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, body]).toString('hex');
}

function evolvedVectors(): CodecVectors['evolved'] {
  const body = codec.encode(started).subarray(5);
  return [
    {
      name: 'a newer writer’s field at the end is passed over',
      schemaId: 200,
      writerSchema: otherVersion((fields) => fields.push({ name: 'slot', type: 'int', default: 0 })),
      value: withId(200, Buffer.concat([body, Buffer.from([6])])),
      record: recordToJson(started),
    },
    {
      name: 'a field that an older writer does not have has its default',
      schemaId: 201,
      writerSchema: otherVersion((fields) => fields.splice(13, 1)),
      // leaseMs (field 13) is 30,000, three bytes, before queuePartition and queueOffset with one byte each.
      value: withId(201, Buffer.concat([body.subarray(0, -5), body.subarray(-2)])),
      record: recordToJson({ ...started, leaseMs: 30_000 }),
    },
  ];
}

function undecodableVectors(): CodecVectors['undecodable'] {
  const schemaId = idOfName.get('TaskStarted')!;
  const value = codec.encode(started);
  const refused = (name: string, bytes: Buffer) => ({
    name,
    schemaId,
    event: 'TaskStarted',
    value: bytes.toString('hex'),
  });
  return [
    refused('empty', Buffer.alloc(0)),
    refused('too short for a schema id', value.subarray(0, 4)),
    refused('another magic byte', Buffer.concat([Buffer.from([1]), value.subarray(1)])),
    refused('no body', value.subarray(0, 5)),
    refused('cut off in the middle', value.subarray(0, 60)),
    refused('one byte missing', value.subarray(0, -1)),
    refused('one byte too many', Buffer.concat([value, Buffer.from([0])])),
  ];
}

/** JSON with one event, expectation or record a line, so that a change can be read. */
function foldFile({ cases }: FoldVectors): string {
  return object('', [['cases', array('  ', cases.map(foldCaseText))]]);
}

function foldCaseText({ name, given, ...expected }: FoldVectors['cases'][number]): string {
  const events = array('      ', given.map(oneLine));
  const rest = Object.entries(expected).map(([key, value]): Member => [key, oneLine(value)]);
  return object('    ', [['name', oneLine(name)], ['given', events], ...rest]);
}

function codecFile(vectors: CodecVectors): string {
  return object(
    '',
    Object.entries(vectors).map(([key, items]): Member => [key, array('  ', (items as unknown[]).map(oneLine))]),
  );
}

type Member = readonly [key: string, text: string];

function oneLine(value: unknown): string {
  return JSON.stringify(value);
}

function object(indent: string, members: readonly Member[]): string {
  const lines = members.map(([key, text]) => `${indent}  "${key}": ${text}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function array(indent: string, items: readonly string[]): string {
  return `[\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}]`;
}

mkdirSync(conformanceFolder, { recursive: true });
const write = (name: string, text: string): void => writeFileSync(new URL(name, conformanceFolder), `${text}\n`);
write('fold.json', foldFile({ cases: foldCases.map(({ name, given }) => foldVector(name, given)) }));
write('fold-random.json', foldFile(randomVectors()));
write(
  'codec.json',
  codecFile({ records: sampleRecords.map(recordVector), evolved: evolvedVectors(), undecodable: undecodableVectors() }),
);
