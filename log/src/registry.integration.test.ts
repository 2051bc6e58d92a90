import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { UnknownRecordError, UnknownSchemaError } from '@taskflow/schemas/codec';
import { recordNames, subjectOf } from '@taskflow/schemas/registered';
import { expect } from 'chai';
import { RegistryUnavailableError } from './errors.ts';
import { connectRegistry, publishSchemas } from './registry.ts';
import { rejection } from './testing/rejection.ts';

const url = process.env.TASKFLOW_REGISTRY_URL ?? '';
const json = { 'content-type': 'application/vnd.schemaregistry.v1+json' };

async function register(subject: string, schema: object): Promise<number> {
  const body = JSON.stringify({ schema: JSON.stringify(schema) });
  const answer = await fetch(`${url}/subjects/${subject}/versions`, { method: 'POST', headers: json, body });
  return ((await answer.json()) as { id: number }).id;
}

/** A value as a producer with this schema id writes it; its body is empty. */
function headerOf(schemaId: number): Buffer {
  const value = Buffer.alloc(5);
  value.writeInt32BE(schemaId, 1);
  return value;
}

/** In front of the registry: counts requests, and answers 503 while it is closed. */
async function startGate() {
  const state = { open: true, requests: 0 };
  const server = http.createServer(async (request, response) => {
    state.requests++;
    if (!state.open) {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('away');
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
    const answer = await fetch(`${url}${request.url}`, { method: request.method ?? 'GET', headers: json, ...body });
    response.writeHead(answer.status, json).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

describe('registry', () => {
  let gate: Awaited<ReturnType<typeof startGate>>;
  before(async () => {
    if (!url)
      throw new Error('TASKFLOW_REGISTRY_URL is not set: integration tests need a running registry (make test)');
    gate = await startGate();
  });
  after(() => gate?.close());

  it('has all schemas under their full names, fully compatible, with the same ids for everyone', async () => {
    const [ids, again] = await Promise.all([publishSchemas({ url }), publishSchemas({ url })]);
    expect([...ids.keys()]).to.have.members(recordNames);
    expect([...again]).to.deep.equal([...ids]);
    for (const name of recordNames) {
      const answer = await fetch(`${url}/config/${subjectOf(name)}`);
      expect(await answer.json()).to.deep.equal({ compatibilityLevel: 'FULL_TRANSITIVE' });
    }
  });

  it('gets each schema once, whoever publishes it at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      for (const permanent of ['', '?permanent=true']) {
        const removed = await fetch(`${url}/subjects/${subjectOf('TypePaused')}${permanent}`, { method: 'DELETE' });
        expect(removed.status).to.equal(200);
      }
      const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => publishSchemas({ url })));
      for (const ids of others) expect([...ids]).to.deep.equal([...first!]);
    }
    const answer = await fetch(`${url}/config/${subjectOf('TypePaused')}`);
    expect(await answer.json()).to.deep.equal({ compatibilityLevel: 'FULL_TRANSITIVE' });
  });

  it('gives a codec that reads what it writes', async () => {
    const { codec } = await connectRegistry({ url });
    const record = { event: 'TypePaused' as const, type: 'noop' };
    const ids = await publishSchemas({ url });
    expect(codec.nameOf(headerOf(ids.get('TypePaused')!))).to.equal(record.event);
  });

  it('learns a schema that it does not know, asking once', async () => {
    const id = await register('somebody.Else', { type: 'record', namespace: 'somebody', name: 'Else', fields: [] });
    const { codec, learn } = await connectRegistry({ url: gate.url });
    expect(() => codec.decode(headerOf(id))).to.throw(UnknownSchemaError);
    const before = gate.state.requests;
    expect(await Promise.all([learn(id), learn(id), learn(id)])).to.deep.equal([true, true, true]);
    expect(gate.state.requests).to.equal(before + 1);
    expect(() => codec.decode(headerOf(id))).to.throw(UnknownRecordError, 'somebody.Else');
  });

  it('says that there is no such schema, and does not ask for it with every record', async () => {
    const { learn } = await connectRegistry({ url: gate.url });
    const before = gate.state.requests;
    expect(await learn(2_000_000_000)).to.equal(false);
    expect(await learn(2_000_000_000)).to.equal(false);
    expect(gate.state.requests).to.equal(before + 1);
  });

  it('may go away: what is known goes on, what is not known is not taken as missing', async () => {
    const { codec, learn } = await connectRegistry({ url: gate.url });
    const ids = await publishSchemas({ url });
    gate.state.open = false;
    expect(codec.nameOf(headerOf(ids.get('TaskQueued')!))).to.equal('TaskQueued');
    expect(await rejection(learn(1_999_999_999))).to.be.instanceOf(RegistryUnavailableError);
    gate.state.open = true;
    expect(await learn(1_999_999_999)).to.equal(false);
  });

  it('is waited for at the start', async () => {
    gate.state.open = false;
    const warnings: string[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn(message: string) {
        warnings.push(message);
        gate.state.open = true;
      },
    };
    await connectRegistry({ url: gate.url, logger });
    expect(warnings).to.deep.equal(['the schema registry does not answer, trying again']);
    gate.state.open = false;
    const error = await rejection(connectRegistry({ url: gate.url, startTimeoutMs: 300 }));
    expect(error).to.be.instanceOf(RegistryUnavailableError);
    expect(error.message).to.include(gate.url);
    gate.state.open = true;
  });
});
