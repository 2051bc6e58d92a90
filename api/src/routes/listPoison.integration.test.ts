import { poisonTopic } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { accounts, codec, startTestApi, type TestApi } from '../testing/testApi.ts';

interface Page {
  readonly items: readonly { readonly topic: string; readonly offset: number; readonly valueBase64: string }[];
  readonly nextCursor: string | null;
}

describe('GET /poison', () => {
  const { ann, admin } = accounts;
  let api: TestApi;
  let topic: string;

  /** Parks records as the projector does: 250 of a topic, of which every fifth is of another one. */
  before(async () => {
    api = await startTestApi();
    topic = `taskflow.events.${api.types.any}.normal`;
    const parked = Array.from({ length: 250 }, (_, offset) => ({
      event: 'PoisonRecord' as const,
      topic: offset % 5 === 4 ? `${topic}.other` : topic,
      partition: 2,
      offset,
      appendedAt: 1_760_000_000_000 + offset,
      reason: 'it is too short',
      schemaId: offset % 2 === 0 ? null : 7,
      key: offset === 0 ? null : Buffer.from([0xff, offset]),
      value: Buffer.alloc(2_000, offset),
      size: 70_000,
      occurredAt: 1_760_000_001_000,
    }));
    await api.appender.append(
      parked.map((record) => ({
        topic: poisonTopic,
        partition: 0,
        key: String(record.offset),
        value: codec.encode(record),
      })),
    );
  });
  after(() => api?.close());

  const page = async (query: string): Promise<Page> => {
    const { status, json } = await api.call(`/poison${query}`, { key: admin.key });
    expect(status, JSON.stringify(json)).to.equal(200);
    return json;
  };
  const walk = async (query: string): Promise<number[]> => {
    const offsets: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { items, nextCursor }: Page = await page(`?topic=${query}${cursor && `&cursor=${cursor}`}`);
      offsets.push(...items.map(({ offset }) => offset));
      cursor = nextCursor;
    }
    return offsets;
  };
  const ofTopic = (other: boolean) =>
    Array.from({ length: 250 }, (_, n) => 249 - n).filter((offset) => (offset % 5 === 4) === other);

  it('shows where each record lies and why it was passed over, the newest first', async () => {
    const { items } = await page(`?topic=${topic}&limit=1`);
    expect(items).to.deep.equal([
      {
        topic,
        partition: 2,
        offset: 248,
        appendedAt: new Date(1_760_000_000_248).toISOString(),
        reason: 'it is too short',
        schemaId: null,
        keyBase64: Buffer.from([0xff, 248]).toString('base64'),
        valueBase64: Buffer.alloc(1_024, 248).toString('base64'),
        size: 70_000,
        parkedAt: new Date(1_760_000_001_000).toISOString(),
      },
    ]);
  });

  it('goes on where a page ended, each record once', async () => {
    for (const limit of [7, 50, 200]) expect(await walk(`${topic}&limit=${limit}`)).to.deep.equal(ofTopic(false));
    expect(await walk(`${topic}.other`)).to.deep.equal(ofTopic(true));
    expect(await walk('no.such.topic')).to.deep.equal([]);
  });

  it('shows all topics without one', async () => {
    const { items, nextCursor } = await page('?limit=3');
    expect(items).to.have.length(3);
    expect(nextCursor).to.be.a('string');
  });

  it('is for administrators', async () => {
    expect((await api.call('/poison', { key: ann.key })).status).to.equal(403);
  });

  it('refuses bad topics, limits and cursors', async () => {
    const { nextCursor } = await page(`?topic=${topic}&limit=1`);
    for (const query of [
      'topic=',
      'topic=a/b',
      `topic=${'a'.repeat(250)}`,
      'limit=0',
      'cursor=x',
      'offset=1',
      `cursor=${nextCursor}`,
    ])
      expect((await api.call(`/poison?${query}`, { key: admin.key })).status, query).to.equal(400);
  });
});
