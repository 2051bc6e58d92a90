import { expect } from 'chai';
import { queueRecords } from '../testing/queueRecords.ts';
import { accounts, startTestApi, type TestApi } from '../testing/testApi.ts';

describe('POST /tasks', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.close());

  const submit = (body: unknown, headers: Record<string, string> = {}) => api.call('/tasks', { body, headers });

  it('answers 201 with the task, after its event is on the log', async () => {
    const payload = { url: 'https://example.com/', nested: { list: [1, 'two', null] } };
    const { status, headers, json } = await submit({
      type: api.types.any,
      payload,
      priority: 'high',
      tags: ['a', 'ünï ☃'],
      timeoutMs: 1_234,
      expiresAt: '2099-01-01T00:00:00+02:00',
      retry: { maxAttempts: 7, backoff: { baseMs: 10, capMs: 20 }, notRetryable: ['X'] },
    });
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`/tasks/${json.id}`);
    expect(json).to.include({
      userId: accounts.ann.principal.userId,
      type: api.types.any,
      priority: 'high',
      status: 'queued',
      generation: 0,
      attempt: 1,
      maxAttempts: 7,
      retryCount: 0,
      startedAt: null,
      error: null,
      result: null,
    });
    expect(json.payload).to.deep.equal(payload);
    expect(json.tags).to.deep.equal(['a', 'ünï ☃']);
    const { topic, partition, offset } = json.log.queue;
    const [record] = await queueRecords(api.cluster, topic);
    expect(record).to.include({ partition, offset, key: json.id });
    expect(record?.event).to.include({
      taskId: json.id,
      userId: accounts.ann.principal.userId,
      occurredAt: Date.parse(json.createdAt),
      cause: 'submit',
      check: false,
    });
    expect(record?.event.task).to.deep.include({
      payload: JSON.stringify(payload),
      maxAttempts: 7,
      backoffBaseMs: 10,
      backoffFactor: 2,
      backoffCapMs: 20,
      notRetryable: ['X'],
      timeoutMs: 1_234,
      expiresAt: Date.parse('2098-12-31T22:00:00Z'),
      tags: ['a', 'ünï ☃'],
      idempotencyKey: null,
    });
  });

  it("fills in the type's defaults", async () => {
    const { json } = await submit({ type: api.types.any, payload: {} });
    expect(json).to.include({ priority: 'normal', maxAttempts: 3 });
    const records = await queueRecords(api.cluster, json.log.queue.topic);
    const { event } = records.find(({ key }) => key === json.id) ?? {};
    expect(event?.task).to.deep.include({ timeoutMs: 30_000, notRetryable: ['HTTP_STATUS'], tags: [] });
    expect(event?.eventsPartition).to.be.within(0, 2);
  });

  it('keeps a payload as it was sent, with keys and texts that mean something to programs', async () => {
    const text = '{"__proto__":{"x":1},"constructor":null,"a\\u0000b":"\\ud800","n":1e21,"":[[]]}';
    const { status, json } = await submit(`{"type":"${api.types.any}","payload":${text}}`);
    expect(status).to.equal(201);
    const records = await queueRecords(api.cluster, json.log.queue.topic);
    const stored = records.find(({ key }) => key === json.id)?.event.task.payload as string;
    expect(stored).to.equal(JSON.stringify(JSON.parse(text)));
  });

  describe('refuses, naming the field,', () => {
    const cases: readonly [string, (types: TestApi['types']) => unknown, string, string][] = [
      ['an unknown type', () => ({ type: 'nope', payload: {} }), 'type', 'unknown-type'],
      ['a missing type', () => ({ payload: {} }), 'type', 'invalid-request'],
      ['a type that is no name', () => ({ type: '../x', payload: {} }), 'type', 'invalid-request'],
      ['a missing payload', ({ any }) => ({ type: any }), 'payload', 'invalid-request'],
      ['a payload that is no object', ({ any }) => ({ type: any, payload: [] }), 'payload', 'invalid-request'],
      ['a field that the payload lacks', ({ page }) => ({ type: page, payload: {} }), 'payload.url', 'invalid-request'],
      [
        'an unknown field of the payload',
        ({ page }) => ({ type: page, payload: { url: 'http://a', x: 1 } }),
        'payload.x',
        'invalid-request',
      ],
      [
        'a wrong type in the payload',
        ({ page }) => ({ type: page, payload: { url: 1 } }),
        'payload.url',
        'invalid-request',
      ],
      [
        'a URL of another scheme',
        ({ page }) => ({ type: page, payload: { url: 'ftp://a' } }),
        'payload.url',
        'invalid-request',
      ],
      [
        'a javascript: URL',
        ({ page }) => ({ type: page, payload: { url: 'javascript:alert(1)' } }),
        'payload.url',
        'invalid-request',
      ],
      [
        'a file: URL',
        ({ page }) => ({ type: page, payload: { url: 'file:///etc/passwd' } }),
        'payload.url',
        'invalid-request',
      ],
      ['an unknown field', ({ any }) => ({ type: any, payload: {}, priorty: 'high' }), 'priorty', 'invalid-request'],
      [
        'an unknown priority',
        ({ any }) => ({ type: any, payload: {}, priority: 'urgent' }),
        'priority',
        'invalid-request',
      ],
      [
        'an attempt limit of 0',
        ({ any }) => ({ type: any, payload: {}, retry: { maxAttempts: 0 } }),
        'retry.maxAttempts',
        'invalid-request',
      ],
      [
        'an unknown field of retry',
        ({ any }) => ({ type: any, payload: {}, retry: { backoff: { base: 1 } } }),
        'retry.backoff.base',
        'invalid-request',
      ],
      [
        'a time limit over a day',
        ({ any }) => ({ type: any, payload: {}, timeoutMs: 86_400_001 }),
        'timeoutMs',
        'invalid-request',
      ],
      [
        'a time that is none',
        ({ any }) => ({ type: any, payload: {}, expiresAt: 'tomorrow' }),
        'expiresAt',
        'invalid-request',
      ],
      [
        'a tag that is no text',
        ({ any }) => ({ type: any, payload: {}, tags: ['a', 1] }),
        'tags[1]',
        'invalid-request',
      ],
      ['a tag with NUL', ({ any }) => ({ type: any, payload: {}, tags: ['a\u0000'] }), 'tags[0]', 'invalid-request'],
      [
        'too many tags',
        ({ any }) => ({ type: any, payload: {}, tags: Array(21).fill('a') }),
        'tags',
        'invalid-request',
      ],
      ...['userId', 'status', 'attempt', 'role', 'plan', 'id', 'generation', 'result'].map(
        (name) =>
          [
            `the property ${name}`,
            ({ any }: TestApi['types']) => ({ type: any, payload: {}, [name]: 'x' }),
            name,
            'invalid-request',
          ] as [string, (types: TestApi['types']) => unknown, string, string],
      ),
    ];
    for (const [what, body, path, kind] of cases) {
      it(what, async () => {
        const { status, json } = await submit(body(api.types));
        expect(json.errors?.map((error: { path: string }) => error.path)).to.deep.equal([path]);
        expect(json.type).to.equal(`urn:taskflow:problem:${kind}`);
        expect(status).to.equal(400);
        expect(json.requestId).to.be.a('string');
      });
    }
  });

  it('names the known types to whoever asks for another', async () => {
    const { json } = await submit({ type: 'nope', payload: {} });
    expect(json.knownTypes).to.deep.equal([api.types.any, api.types.page]);
  });

  describe('refuses a body that', () => {
    const sent = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
      api.call('/tasks', { method: 'POST', body, headers });

    it('is not JSON', async () => {
      for (const body of ['{"type":', '', 'null,', '{"a":1}}', "{'a':1}", '\u{feff}{}']) {
        const { status, json } = await sent(body);
        expect([status, json.type], body).to.deep.equal([400, 'urn:taskflow:problem:malformed-json']);
      }
    });

    it('is JSON, but no object', async () => {
      for (const body of ['null', '1', '"x"', '[]', 'true']) expect((await sent(body)).status, body).to.equal(400);
    });

    it('is not UTF-8', async () => {
      const { status, json } = await sent(Buffer.from('{"type":"\xe9"}', 'latin1'));
      expect([status, json.type]).to.deep.equal([400, 'urn:taskflow:problem:malformed-json']);
    });

    it('is nested too deeply', async () => {
      const deep = (levels: number) =>
        `{"type":"${api.types.any}","payload":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
      expect((await sent(deep(62))).status).to.equal(201);
      const { status, json } = await sent(deep(63));
      expect([status, json.type]).to.deep.equal([400, 'urn:taskflow:problem:json-too-deep']);
      expect((await sent('['.repeat(200_000))).json.type).to.equal('urn:taskflow:problem:json-too-deep');
    });

    it('is of another media type, or packed', async () => {
      for (const headers of [
        { 'content-type': 'text/plain' },
        { 'content-type': 'application/x-www-form-urlencoded' },
        { 'content-type': 'application/json; charset=latin1' },
        { 'content-type': 'application/jsonp' },
        { 'content-encoding': 'gzip' },
      ] as Record<string, string>[]) {
        const { status, json } = await sent('{}', headers);
        expect([status, json.type]).to.deep.equal([415, 'urn:taskflow:problem:unsupported-media-type']);
      }
      const accepted = await sent(`{"type":"${api.types.any}","payload":{}}`, {
        'content-type': 'Application/JSON; Charset="UTF-8"',
      });
      expect(accepted.status).to.equal(201);
    });

    it('has more bytes than a task may have', async () => {
      const body = (bytes: number) => {
        const head = `{"type":"${api.types.any}","payload":{"x":"`;
        return `${head}${'x'.repeat(bytes - head.length - 3)}"}}`;
      };
      expect((await sent(body(262_144))).status).to.equal(201);
      const { status, json } = await sent(body(262_145));
      expect([status, json.type, json.maxBytes]).to.deep.equal([413, 'urn:taskflow:problem:body-too-large', 262_144]);
      expect((await sent(body(1_500_000))).status).to.equal(413);
    });

    it('becomes larger than that when its numbers are written out', async () => {
      const { status, json } = await submit(
        `{"type":"${api.types.any}","payload":{"n":[${Array(50_000).fill('1e20').join()}]}}`,
      );
      expect([status, json.errors?.[0].path]).to.deep.equal([413, 'payload']);
    });
  });

  it('refuses a type whose published schema it cannot use, and goes on with the others', async () => {
    const any = api.registered.get(api.types.any);
    const broken = `${api.types.any}_broken`;
    if (any !== undefined) api.registered.set(broken, { ...any, type: broken, payloadSchema: '{"type":"nonsense"}' });
    const { status, headers } = await submit({ type: broken, payload: {} });
    api.registered.delete(broken);
    expect(status).to.equal(503);
    expect(headers.get('retry-after')).to.equal('60');
    expect((await submit({ type: api.types.any, payload: {} })).status).to.equal(201);
  });

  it('checks by a newer schema as soon as it is published', async () => {
    const any = api.registered.get(api.types.any);
    if (any === undefined) throw new Error('the type is registered');
    api.registered.set(any.type, { ...any, version: 2, payloadSchema: '{"type":"object","required":["b"]}' });
    const { json } = await submit({ type: any.type, payload: {} });
    api.registered.set(any.type, any);
    expect(json.errors).to.deep.equal([{ path: 'payload.b', message: 'is required' }]);
    expect((await submit({ type: any.type, payload: {} })).status).to.equal(201);
  });
});
