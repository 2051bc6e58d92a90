import { parseAllowList } from '@taskflow/workers/fetchAllow';
import { createSafeFetch, type FetchLimits } from '@taskflow/workers/safeFetch';
import { TaskError } from '@taskflow/workers/taskError';
import { runTask } from '@taskflow/workers/testing';
import { expect } from 'chai';
import { type Site, startSite } from './fixtures/site.ts';
import webScrape from './task.ts';

describe('web_scrape', () => {
  let site: Site;
  before(async () => {
    site = await startSite();
  });
  after(() => site.close());

  const scrape = (path: string, limits: Partial<FetchLimits> = {}) =>
    runTask(
      webScrape,
      { url: site.origin + path },
      { fetch: createSafeFetch({ allow: parseAllowList('127.0.0.1'), limits }) },
    );
  const failure = async (path: string, limits: Partial<FetchLimits> = {}) => {
    const error = await scrape(path, limits).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(TaskError);
    return error as TaskError;
  };

  it('tells all about a page, after redirects', async () => {
    const result = await scrape('/hop/2');
    expect(result).to.deep.include({
      url: `${site.origin}/hop/2`,
      finalUrl: `${site.origin}/shop`,
      status: 200,
      contentType: 'text/html; charset=utf-8',
      charset: 'utf-8',
      title: 'Cast-iron kettle & trivet, 1.2 l | Harrow & Sons',
      language: 'en-GB',
      canonical: `${site.origin}/shop/kettle?colour=black#top`,
      redirects: 2,
      linkCount: 4,
    });
    expect(result.size).to.be.above(1_000);
    expect(webScrape.preview?.(result)).to.equal(result.title);
  });

  const pages: [path: string, charset: string, title: string | null, language: string | null][] = [
    ['/novosti', 'windows-1251', 'Новости — Мосты снова разведены', 'ru'],
    ['/cafe', 'windows-1252', 'Café Zoë – la carte du jour', null],
    ['/densha', 'shift_jis', '電車の時刻表 ― 表示と予約', 'ja'],
    ['/harbour', 'utf-16le', 'Havnen i Ærøskøbing', 'da'],
    ['/xinwen', 'gbk', '今日新闻：镕基路改造', 'zh-CN'],
    ['/garage-sale', 'utf-8', 'Garage sale — sat & sun © 1998', null],
    ['/no-title', 'utf-8', null, null],
    ['/untyped', 'utf-8', 'Nobody said what I am', null],
    ['/empty', 'utf-8', null, null],
  ];
  for (const [path, charset, title, language] of pages) {
    it(`reads ${path} (${charset})`, async () => expect(await scrape(path)).to.include({ charset, title, language }));
  }

  it('reads a page of two megabytes', async () => {
    const result = await scrape('/huge');
    expect(result).to.include({ title: 'The whole catalogue', linkCount: 40_000 });
  });

  it('says HTTP_STATUS of 400 and above, retryable where trying again may help', async () => {
    expect(await failure('/status/404')).to.deep.include({
      code: 'HTTP_STATUS',
      retryable: false,
      details: { status: 404 },
    });
    expect(await failure('/status/503')).to.include({ code: 'HTTP_STATUS', retryable: true });
    expect(await failure('/status/429')).to.include({ retryable: true });
  });
  it('says UNSUPPORTED_MEDIA of what is no page', async () => {
    expect(await failure('/image')).to.include({ code: 'UNSUPPORTED_MEDIA', retryable: false });
  });
  it('says TOO_MANY_REDIRECTS of a loop', async () =>
    expect((await failure('/loop')).code).to.equal('TOO_MANY_REDIRECTS'));
  it('says BODY_TOO_LARGE of a page without end', async () =>
    expect((await failure('/endless')).code).to.equal('BODY_TOO_LARGE'));
  it('says BODY_TOO_LARGE of a bomb', async () =>
    expect((await failure('/bomb/gzip')).code).to.equal('BODY_TOO_LARGE'));
  it('says TIMEOUT of a drip', async () =>
    expect((await failure('/drip', { totalTimeoutMs: 300 })).code).to.equal('TIMEOUT'));
  it('says ADDRESS_NOT_ALLOWED where nothing is opened', async () => {
    const fetch = createSafeFetch({ allow: parseAllowList('') });
    const error = await runTask(webScrape, { url: `${site.origin}/shop` }, { fetch }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ code: 'ADDRESS_NOT_ALLOWED', retryable: false });
  });
  it('shows no user info', async () => {
    const url = site.origin.replace('//', '//ann:secret@');
    const fetch = createSafeFetch({ allow: parseAllowList('127.0.0.1') });
    const lines: Parameters<typeof runTask>[2] = { fetch, lines: [] };
    const result = await runTask(webScrape, { url: `${url}/to?url=/shop` }, lines);
    expect(JSON.stringify([result, lines.lines]))
      .to.not.contain('secret')
      .and.not.contain('ann:');
  });
});
