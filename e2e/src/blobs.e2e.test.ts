import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32, deflateSync } from 'node:zlib';
import { expect } from 'chai';
import type { Problem, ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

interface Blob {
  readonly ref: string;
  readonly size: number;
  readonly contentType: string;
  readonly sha256: string;
  readonly expiresAt: string;
}

interface Figures {
  readonly from: { readonly format: string; readonly width: number; readonly height: number; readonly size: number };
  readonly to: Figures['from'];
  readonly ratio: number;
  readonly ssim: number;
}

describe('blobs: uploads, files as results, large results', () => {
  const { client, system } = theSystem();

  const upload = async (bytes: Uint8Array, contentType: string): Promise<Blob> => {
    const headers = { 'content-type': contentType };
    const answer = await client.send<Blob>('/blobs', {
      method: 'POST',
      body: bytes as NonNullable<RequestInit['body']>,
      headers,
    });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body;
  };
  const run = async (type: string, payload: object, timeoutMs?: number): Promise<ShownTask> => {
    const { status, body } = await client.post<ShownTask>('/tasks', { type, payload });
    expect(status, JSON.stringify(body)).to.equal(201);
    return client.ended(body.id, timeoutMs);
  };
  const download = async (id: string, headers: Record<string, string> = {}) => {
    const { apiUrl, key } = system();
    const response = await fetch(`${apiUrl}/tasks/${id}/result`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  it('makes an uploaded image smaller, and gives it back', async () => {
    const image = png(640, 480);
    const { ref, size, sha256: sum } = await upload(image, 'image/png');
    expect([size, sum]).to.deep.equal([image.length, sha256(image)]);
    const task = await run('img_compress', { blob: ref, format: 'webp', quality: 70, width: 320 });
    expect(task.status, JSON.stringify(task.error)).to.equal('success');
    const { status, headers, bytes } = await download(task.id);
    expect([status, headers.get('content-type')]).to.deep.equal([200, 'image/webp']);
    expect([bytes.length, sha256(bytes)]).to.deep.equal([task.result?.size, task.result?.sha256]);
    expect(headers.get('etag')).to.equal(`"${task.result?.sha256}"`);
    expect(bytes.length).to.be.lessThan(image.length / 4);
    expect(dimensionsOfWebp(bytes)).to.deep.equal([320, 240]);
    const part = await download(task.id, { range: 'bytes=0-3' });
    expect([part.status, part.bytes.toString('latin1')]).to.deep.equal([206, 'RIFF']);
    const figures = (await client.get<Figures>(`/tasks/${task.id}/result/figures`)).body;
    expect(figures.from).to.deep.equal({ format: 'png', width: 640, height: 480, size: image.length });
    expect(figures.to).to.deep.equal({ format: 'webp', width: 320, height: 240, size: bytes.length });
    expect(figures.ratio).to.be.closeTo(bytes.length / image.length, 0.001);
    expect(figures.ssim).to.be.within(0.5, 1);
    // A result is a blob like any other: the next task can work on it.
    const next = await run('img_compress', { blob: task.result?.ref, format: 'jpeg' });
    expect((await download(next.id)).bytes.subarray(0, 3).toString('hex')).to.equal('ffd8ff');
  });

  it('hashes an upload of several megabytes', async () => {
    const bytes = randomBytes(23_456_789);
    const { ref } = await upload(bytes, 'application/x-random');
    const task = await run('file_hash', { blob: ref, algorithms: ['sha256', 'md5'] });
    const { body } = await client.get<{ size: number; contentType: string; hashes: object }>(
      `/tasks/${task.id}/result`,
    );
    expect(body).to.include({ size: bytes.length, contentType: 'application/x-random', blob: ref });
    expect(body.hashes).to.deep.equal({ sha256: sha256(bytes), md5: createHash('md5').update(bytes).digest('hex') });
  });

  it('refuses what is no image, and a reference that leads nowhere, for good', async () => {
    const { ref } = await upload(Buffer.from('no image'), 'image/png');
    expect((await run('img_compress', { blob: ref })).error).to.include({
      code: 'UNSUPPORTED_MEDIA',
      retryable: false,
    });
    const image = await upload(png(8, 8).subarray(0, 60), 'image/png');
    expect((await run('img_compress', { blob: image.ref })).error).to.include({ code: 'IMAGE_INVALID' });
    const nowhere = `${ref.slice(0, -12)}000000000000`;
    expect((await run('file_hash', { blob: nowhere })).error).to.include({ code: 'BLOB_NOT_FOUND', retryable: false });
    const foreign = ref.replace('000000000001/', '000000000002/');
    expect((await run('file_hash', { blob: foreign })).error).to.include({ code: 'BLOB_NOT_FOUND' });
    const shapeless = await client.post<Problem>('/tasks', { type: 'file_hash', payload: { blob: '../secret' } });
    expect([shapeless.status, shapeless.body.errors?.[0]?.path]).to.deep.equal([400, 'payload.blob']);
  });

  it('keeps a result over 64 KiB in the blob store, and streams it', async () => {
    const text = 'wörter '.repeat(40_000);
    const server = createServer((_, response) => response.end(text));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const task = await run('http_request', { url });
      expect(task.status, JSON.stringify(task.error)).to.equal('success');
      expect(task.result).to.include({ storage: 's3' });
      const { status, headers, bytes } = await download(task.id);
      expect([status, headers.get('content-type')]).to.deep.equal([200, 'application/json']);
      expect([bytes.length, sha256(bytes)]).to.deep.equal([task.result?.size, task.result?.sha256]);
      expect(JSON.parse(bytes.toString())).to.have.nested.property('body', text);
    } finally {
      server.close();
    }
  });

  it('loses nothing when the store is killed meanwhile', async () => {
    const images = await Promise.all(Array.from({ length: 6 }, (_, n) => upload(png(200 + n, 100), 'image/png')));
    const submitted = await Promise.all(
      images.map(({ ref }) => client.post<ShownTask>('/tasks', { type: 'img_compress', payload: { blob: ref } })),
    );
    const store = (await system().processes()).find(({ name }) => name === 's3');
    process.kill(store?.pid ?? 0, 'SIGKILL');
    const more = await client.post<ShownTask>('/tasks', { type: 'file_hash', payload: { blob: images[0]?.ref } });
    for (const { body } of [...submitted, more]) {
      const task = await client.ended(body.id, 60_000);
      expect(task.status, JSON.stringify(task.error)).to.equal('success');
    }
    const first = submitted[0]?.body.id ?? '';
    expect((await download(first)).bytes.subarray(1, 4).toString()).to.equal('PNG');
  });
});

/** A grainy picture with slopes, as a PNG file. */
function png(width: number, height: number): Buffer {
  const rows = Buffer.alloc((1 + width * 3) * height);
  const grain = randomBytes(rows.length);
  for (let y = 0, at = 0; y < height; y++) {
    at++; // the row's filter: none
    for (let x = 0; x < width; x++) {
      rows[at] = (x * 200) / width + (grain[at]! & 7);
      at++;
      rows[at] = (y * 200) / height + (grain[at]! & 7);
      at++;
      rows[at] = 128 + (grain[at]! & 7);
      at++;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // eight bits of red, green and blue
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(content.length, 0);
    framed.set(body, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Width and height in the frame header of a lossy WebP (RFC 6386, 9.1): a decoder must get so far, and finds it whole. */
function dimensionsOfWebp(bytes: Buffer): [number, number] {
  expect(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 8, 12)).to.equal('RIFFWEBP');
  expect(bytes.readUInt32LE(4) + 8).to.equal(bytes.length);
  const frame = bytes.indexOf(Buffer.from([0x9d, 0x01, 0x2a]));
  return [bytes.readUInt16LE(frame + 3) & 0x3fff, bytes.readUInt16LE(frame + 5) & 0x3fff];
}
