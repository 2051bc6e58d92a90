import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect } from 'chai';
import { type Site, startSite } from '../tasks/web_scrape/fixtures/site.ts';
import type { Resolve } from './fetch/guardedConnect.ts';
import { parseAllowList } from './fetchAllow.ts';
import { createSafeFetch, type FetchLimits, type FetchOptions } from './safeFetch.ts';
import { TaskError } from './taskError.ts';

const never: Resolve = async (host) => {
  throw Object.assign(new Error(`not resolved here: ${host}`), { code: 'ENOTFOUND' });
};

async function failureOf(work: Promise<unknown>): Promise<TaskError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TaskError) return error;
    throw error;
  }
  throw new Error('It should have failed');
}

describe('the safe fetcher', () => {
  let site: Site;
  before(async () => {
    site = await startSite();
  });
  after(() => site.close());

  const opened = (limits: Partial<FetchLimits> = {}, resolve: Resolve = never) =>
    createSafeFetch({ allow: parseAllowList(`127.0.0.1:${site.port}`), resolve, limits });
  const closed = (resolve: Resolve = never) => createSafeFetch({ allow: parseAllowList(''), resolve });
  const get = async (path: string, limits: Partial<FetchLimits> = {}, options: FetchOptions = {}) => {
    const response = await opened(limits)(site.origin + path, options);
    return { ...response, text: (await response.body()).toString() };
  };

  describe('refuses by default, before a byte is sent', () => {
    const spellings = [
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '2130706433',
      '0177.0.0.1',
      '017700000001',
      '0x7f.1',
      '0x7f000001',
      '0x7f.0x0.0x0.0x1',
      '127.0.0.1.',
      '１２７.０.０.１',
      '①②⑦.⓪.⓪.①',
      '%31%32%37.0.0.1',
      '0.0.0.0',
      '0',
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '192.168.1.1',
      '172.16.9.9',
      '100.64.0.1',
      '169.254.169.254',
      '224.0.0.1',
      '255.255.255.255',
    ];
    for (const host of spellings) {
      it(`http://${host}/`, async () => {
        const error = await failureOf(closed()(`http://${host}:${site.port}/shop`));
        expect(error.code).to.equal('ADDRESS_NOT_ALLOWED');
        expect(error.retryable).to.equal(false);
      });
    }

    it('user info that looks like another host', async () => {
      expect((await failureOf(closed()(`http://example.org@127.0.0.1:${site.port}/`))).code).to.equal(
        'ADDRESS_NOT_ALLOWED',
      );
      // A backslash is a slash: this asks example.org, which the resolver of this test does not know.
      expect((await failureOf(closed()(`http://example.org:80\\@127.0.0.1:${site.port}/`))).details).to.deep.equal({
        cause: 'ENOTFOUND',
      });
    });

    it('a name that resolves to a private address, without telling which', async () => {
      const error = await failureOf(
        closed(async () => [{ address: '10.11.12.13', family: 4 }])('http://intranet.example/'),
      );
      expect(error.code).to.equal('ADDRESS_NOT_ALLOWED');
      expect(error.message).to.not.contain('10.11');
      expect(JSON.stringify(error.details ?? null)).to.not.contain('10.11');
    });

    it('localhost, by the system resolver', async () => {
      const fetch = createSafeFetch({ allow: parseAllowList('') });
      expect((await failureOf(fetch(`http://localhost:${site.port}/`))).code).to.equal('ADDRESS_NOT_ALLOWED');
    });

    for (const url of [
      'file:///etc/passwd',
      'ftp://example.org/',
      'gopher://127.0.0.1/',
      'data:text/html,x',
      'javascript:alert(1)',
    ]) {
      it(url, async () => expect((await failureOf(closed()(url))).code).to.equal('ADDRESS_NOT_ALLOWED'));
    }

    it('what is no URL', async () => {
      expect((await failureOf(closed()('http://[::1'))).code).to.equal('PAYLOAD_INVALID');
    });
  });

  it('asks a name once and connects to what it checked (rebinding DNS)', async () => {
    const asked: string[] = [];
    const rebinding: Resolve = async (host) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    };
    const response = await opened({}, rebinding)(`http://rebind.example:${site.port}/shop`);
    await response.body();
    expect(response.status).to.equal(200);
    expect(asked).to.deep.equal(['rebind.example']);
  });

  it('drops the forbidden ones of several addresses of a name', async () => {
    const mixed: Resolve = async () => [
      { address: '::1', family: 6 },
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const response = await opened({}, mixed)(`http://mixed.example:${site.port}/shop`);
    expect(response.status).to.equal(200);
    response.discard();
  });

  it('opens a host by its name, whatever it resolves to', async () => {
    const fetch = createSafeFetch({
      allow: parseAllowList('pages.example'),
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    expect(await (await fetch(`http://pages.example:${site.port}/shop`)).body()).to.have.length.above(100);
    expect((await failureOf(fetch(`http://127.0.0.1:${site.port}/shop`))).code).to.equal('ADDRESS_NOT_ALLOWED');
  });

  describe('redirects', () => {
    it('follows them, and says how many and where they led', async () => {
      const response = await get('/hop/3#top');
      expect(response).to.include({ url: `${site.origin}/shop`, status: 200, redirects: 3 });
    });

    it('refuses one to a private address, in any spelling', async () => {
      for (const target of [
        'http://127.0.0.1:1/',
        'http://2130706433:1/',
        'http://[::ffff:127.0.0.1]/',
        'http://169.254.169.254/latest/meta-data/',
        '//10.0.0.1/',
      ]) {
        const error = await failureOf(get(`/to?url=${encodeURIComponent(target)}`));
        expect(error.code, target).to.equal('ADDRESS_NOT_ALLOWED');
      }
    });

    it('refuses one to another scheme', async () => {
      expect((await failureOf(get('/to-file'))).code).to.equal('ADDRESS_NOT_ALLOWED');
      expect((await failureOf(get(`/to?url=${encodeURIComponent('javascript:alert(1)')}`))).code).to.equal(
        'ADDRESS_NOT_ALLOWED',
      );
    });

    it('refuses one to what is no URL', async () => {
      expect((await failureOf(get(`/to?url=${encodeURIComponent('http://[')}`))).code).to.equal('ADDRESS_NOT_ALLOWED');
    });

    it('ends a loop', async () => {
      expect((await failureOf(get('/loop'))).code).to.equal('TOO_MANY_REDIRECTS');
    });

    it('takes a redirect as the answer where that status is wanted', async () => {
      const response = await get('/hop/1', {}, { finalStatuses: [302] });
      expect(response).to.include({ status: 302, redirects: 0 });
    });

    it('keeps credentials on the same origin only', async () => {
      const other = await startSite();
      try {
        const fetch = createSafeFetch({ allow: parseAllowList('127.0.0.1') });
        const headers = {
          authorization: 'Bearer secret',
          cookie: 'a=b',
          'X-Api-Key': 'secret',
          'Accept-Language': 'da',
        };
        const same = await fetch(`${site.origin}/to?url=/echo`, { headers });
        expect(JSON.parse((await same.body()).toString()).headers).to.include({
          authorization: 'Bearer secret',
          'x-api-key': 'secret',
        });
        const cross = await fetch(`${site.origin}/to?url=${encodeURIComponent(`${other.origin}/echo`)}`, { headers });
        const seen = JSON.parse((await cross.body()).toString()).headers;
        expect(seen).to.not.have.any.keys('authorization', 'cookie', 'x-api-key');
        expect(seen).to.include({ 'accept-language': 'da' });
      } finally {
        await other.close();
      }
    });

    it('sends user info as credentials and never shows it', async () => {
      const origin = site.origin.replace('http://', 'http://ann:p%40ss@');
      const response = await opened()(`${origin}/echo`);
      const seen = JSON.parse((await response.body()).toString());
      expect(seen.headers.authorization).to.equal(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
      expect(response.url).to.equal(`${site.origin}/echo`);
      const error = await failureOf(opened({ headersTimeoutMs: 100 })(`${origin}/silent`));
      expect(error.message).to.not.contain('ann').and.not.contain('p%40ss');
    });

    it('turns POST into GET after 302 and 303, not after 307', async () => {
      const post = (status: number) =>
        get(
          `/to?url=/echo&status=${status}`,
          {},
          { method: 'POST', body: 'data', headers: { 'content-type': 'text/plain' } },
        );
      for (const status of [301, 302, 303]) {
        const seen = JSON.parse((await post(status)).text);
        expect(seen).to.include({ method: 'GET', body: '' });
        expect(seen.headers).to.not.have.property('content-type');
      }
      expect(JSON.parse((await post(307)).text)).to.include({ method: 'POST', body: 'data' });
    });
  });

  describe('bodies', () => {
    for (const coding of ['gzip', 'br', 'deflate', 'deflate-raw', 'zstd']) {
      it(`decodes ${coding}`, async () => expect((await get(`/coded/${coding}`)).text).to.contain('Cast-iron'));
      it(`stops a ${coding} bomb`, async () => {
        expect((await failureOf(get(`/bomb/${coding}`, { maxBodyBytes: 1_000_000 }))).code).to.equal('BODY_TOO_LARGE');
      });
    }

    it('stops a body without end', async () => {
      expect((await failureOf(get('/endless', { maxBodyBytes: 1_000_000 }))).code).to.equal('BODY_TOO_LARGE');
    });

    it('refuses a body that says it is too large without reading it', async () => {
      expect((await failureOf(get('/shop', { maxBodyBytes: 100 }))).code).to.equal('BODY_TOO_LARGE');
    });

    it('says that a body does not fit its encoding', async () => {
      expect((await failureOf(get('/corrupt'))).code).to.equal('BODY_INVALID');
    });

    it('reports a body that is cut off', async () => {
      const error = await failureOf(get('/cut'));
      expect(error.code).to.equal('CONNECT_FAILED');
      expect(error.retryable).to.equal(true);
    });

    it('gives an empty one', async () => expect((await get('/empty')).text).to.equal(''));
    it('gives none to HEAD', async () =>
      expect((await get('/huge', { maxBodyBytes: 10 }, { method: 'HEAD' })).text).to.equal(''));
  });

  describe('time limits', () => {
    it('ends a drip', async () => {
      expect((await failureOf(get('/drip', { totalTimeoutMs: 300 }))).code).to.equal('TIMEOUT');
    });
    it('ends the wait for a response', async () => {
      expect((await failureOf(get('/silent', { totalTimeoutMs: 300 }))).code).to.equal('TIMEOUT');
    });
    it('ends a body that falls silent', async () => {
      const server = createTcpServer((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const fetch = createSafeFetch({ allow: parseAllowList('127.0.0.1'), limits: { idleTimeoutMs: 100 } });
        const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        expect((await failureOf(response.body())).code).to.equal('TIMEOUT');
      } finally {
        server.close();
      }
    });
    it('ends the wait for a name', async () => {
      const error = await failureOf(
        opened({ connectTimeoutMs: 50 }, () => new Promise(() => {}))('http://slow.example/'),
      );
      expect(error).to.include({ code: 'CONNECT_FAILED' });
      expect(error.details).to.deep.equal({ cause: 'EDNSTIMEOUT' });
    });
    it("goes with the caller's signal, giving its reason", async () => {
      const controller = new AbortController();
      const reason = new Error('the attempt is over');
      const work = opened()(`${site.origin}/silent`, { signal: controller.signal });
      controller.abort(reason);
      let seen: unknown;
      await work.catch((error: unknown) => {
        seen = error;
      });
      expect(seen).to.equal(reason);
    });
  });

  describe('says why there was no connection', () => {
    it('a port where nobody listens', async () => {
      const server = createTcpServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const error = await failureOf(
        createSafeFetch({ allow: parseAllowList('127.0.0.1') })(`http://127.0.0.1:${port}/`),
      );
      expect(error).to.include({ code: 'CONNECT_FAILED', retryable: true });
      expect(error.details).to.deep.equal({ cause: 'ECONNREFUSED' });
    });
    it('a name that does not exist', async () => {
      expect((await failureOf(opened()('http://nowhere.example/'))).details).to.deep.equal({ cause: 'ENOTFOUND' });
    });
    it('a server that speaks no HTTP', async () => {
      const server = createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const fetch = createSafeFetch({ allow: parseAllowList('127.0.0.1') });
        expect((await failureOf(fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))).code).to.equal(
          'CONNECT_FAILED',
        );
      } finally {
        server.close();
      }
    });
  });

  it('times what it does', async () => {
    const response = await opened()(`${site.origin}/shop`);
    await response.body();
    expect(Object.keys(response.timings())).to.deep.equal(['dnsMs', 'connectMs', 'ttfbMs', 'totalMs']);
    for (const value of Object.values(response.timings())) expect(value).to.be.a('number').that.is.at.least(0);
  });
});
