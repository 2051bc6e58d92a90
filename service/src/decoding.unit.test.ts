import type { LogRecord } from '@taskflow/log/logRecord';
import type { Registry } from '@taskflow/log/registry';
import { createCodec, UndecodableError } from '@taskflow/schemas/codec';
import { recordNames, type TaskCancelRequested, type TaskflowRecord, type TypePaused } from '@taskflow/schemas/events';
import { schemaText } from '@taskflow/schemas/registered';
import { expect } from 'chai';
import { createDecoding, type DecodedBatch } from './decoding.ts';
import { silentLogger } from './logger.ts';

const idsOf = (first: number) => new Map(recordNames.map((name, index) => [name, first + index]));
const writer = createCodec(idsOf(101));
const ID_OF_PAUSE = 101 + recordNames.indexOf('TypePaused');

const cancel: TaskCancelRequested = {
  event: 'TaskCancelRequested',
  taskId: '01999999-0000-7000-8000-000000000001',
  generation: 0,
  eventId: '01999999-1000-7000-8000-000000000001',
  type: 'noop',
  priority: 'normal',
  occurredAt: 1,
};
const pause = {
  event: 'TypePaused',
  type: 'noop',
  reason: null,
  actor: '00000000-0000-4000-8000-000000000001',
  eventId: '01999999-1000-7000-8000-000000000002',
  occurredAt: 2,
} as TypePaused;

function log(...values: (Buffer | null)[]): LogRecord[] {
  return values.map((value, offset) => ({
    topic: 't',
    partition: 0,
    offset,
    key: null,
    value,
    appendedAt: 0,
    leaderEpoch: 0,
  }));
}

/** A decoding whose registry answers `learn` in this way. */
function decodingWith(
  learn: Registry['learn'],
  codec = createCodec(idsOf(101)),
  signal = new AbortController().signal,
) {
  return createDecoding<TaskflowRecord>({
    registry: { codec, learn },
    wants: (name) => name !== 'TaskLogLine',
    select(decoded) {
      if (decoded.event === 'TaskCancelRequested' && decoded.generation === 9) throw new UndecodableError('nine');
      return decoded;
    },
    logger: silentLogger,
    signal,
  });
}

const shown = ({ events, undecodable }: DecodedBatch<TaskflowRecord>) => ({
  events: events.map(({ record, event }) => `${record.offset} ${event.event}`),
  undecodable: undecodable.map(({ record, reason, schemaId }) => [record.offset, reason, schemaId]),
});

const never: Registry['learn'] = () => expect.fail('the registry was asked');

describe('createDecoding', () => {
  it('decodes without a promise, in order, and leaves its neighbours alone where a record cannot be decoded', () => {
    const batch = decodingWith(never)(
      log(
        writer.encode(cancel),
        Buffer.from('garbage'),
        null,
        writer.encode(pause),
        writer.encode({ ...cancel, generation: 9 }),
      ),
    ) as DecodedBatch<TaskflowRecord>;
    expect(batch).to.not.be.instanceOf(Promise);
    const { events, undecodable } = shown(batch);
    expect(events).to.deep.equal(['0 TaskCancelRequested', '3 TypePaused']);
    expect(undecodable.map(([offset]) => offset)).to.deep.equal([1, 2, 4]);
    expect(undecodable[1]).to.deep.equal([2, 'it has no value', null]);
    expect(undecodable[2]?.[1]).to.equal('nine');
  });

  it('learns a schema first, and goes on in order', async () => {
    const codec = createCodec(idsOf(1));
    const asked: number[] = [];
    const batch = await decodingWith(async (schemaId) => {
      asked.push(schemaId);
      codec.learn(schemaId, schemaText(recordNames[schemaId - 101]!));
      return true;
    }, codec)(log(writer.encode(cancel), writer.encode(pause), writer.encode(cancel)));
    expect(shown(batch).events).to.deep.equal(['0 TaskCancelRequested', '1 TypePaused', '2 TaskCancelRequested']);
    expect(asked).to.have.lengthOf(2);
  });

  it('waits while the registry is away', async () => {
    const codec = createCodec(idsOf(1));
    let away = 2;
    const batch = await decodingWith(async (schemaId) => {
      if (away-- > 0) throw new Error('registry unavailable');
      codec.learn(schemaId, schemaText('TypePaused'));
      return true;
    }, codec)(log(writer.encode(pause)));
    expect(shown(batch)).to.deep.equal({ events: ['0 TypePaused'], undecodable: [] });
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const decoding = decodingWith(
      async () => {
        stop.abort();
        throw new Error('registry unavailable');
      },
      createCodec(idsOf(1)),
      stop.signal,
    );
    const error = await Promise.resolve(decoding(log(writer.encode(pause)))).then(
      () => expect.fail('it went on'),
      (reason: Error) => reason,
    );
    expect(error.name).to.equal('AbortError');
  });

  it('gives up what the registry does not have, and asks once a batch', async () => {
    let asked = 0;
    const batch = await decodingWith(
      async () => {
        asked += 1;
        return false;
      },
      createCodec(idsOf(1)),
    )(log(writer.encode(pause), writer.encode(pause)));
    const reason = `the registry has no schema ${ID_OF_PAUSE} that can be read here`;
    expect(shown(batch).undecodable).to.deep.equal([
      [0, reason, ID_OF_PAUSE],
      [1, reason, ID_OF_PAUSE],
    ]);
    expect(asked).to.equal(1);
  });

  it('passes over records of a newer contract', async () => {
    const codec = createCodec(idsOf(1));
    const newer = JSON.stringify({
      type: 'record',
      name: 'TaskPostponed',
      namespace: 'io.taskflow.events',
      fields: [{ name: 'taskId', type: 'string' }],
    });
    const batch = await decodingWith(async (schemaId) => {
      codec.learn(schemaId, newer);
      return true;
    }, codec)(log(Buffer.concat([Buffer.from([0, 0, 0, 3, 231]), Buffer.from([2, 65])])));
    expect(shown(batch)).to.deep.equal({ events: [], undecodable: [] });
  });
});
