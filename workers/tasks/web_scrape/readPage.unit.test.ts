import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { charsetOf, decodePage } from './decodePage.ts';
import { looksLikeHtml, mediaTypeOf } from './mediaType.ts';
import { readPage } from './readPage.ts';

const page = (name: string) => readFileSync(new URL(`fixtures/pages/${name}`, import.meta.url));
const URL_OF_PAGE = 'https://site.example/folder/page?q=1';

describe('reading a page', () => {
  it('finds all that a well-kept page says', () => {
    const facts = readPage(page('shop.html').toString(), URL_OF_PAGE);
    expect(facts).to.deep.equal({
      title: 'Cast-iron kettle & trivet, 1.2 l | Harrow & Sons',
      language: 'en-GB',
      description: 'A kettle that outlives its owner. <Hand-finished> in Sheffield.',
      canonical: 'https://site.example/shop/kettle?colour=black#top',
      openGraph: {
        title: 'Cast-iron kettle & trivet',
        type: 'product',
        image: 'https://img.harrow.example/kettle-1.jpg',
        'image:width': '1200',
        'price:amount': '64.00',
      },
      headings: [
        { level: 1, text: 'Cast-iron kettle & trivet' },
        { level: 2, text: 'Details' },
        { level: 3, text: 'Care' },
        { level: 2, text: 'Reviews' },
      ],
      linkCount: 4,
    });
  });

  it('makes of broken markup what a browser makes of it', () => {
    const facts = readPage(page('broken.html').toString(), URL_OF_PAGE);
    expect(facts.title).to.equal('Garage sale — sat & sun © 1998');
    expect(facts.description).to.equal('unquoted "inside" quotes');
    expect(facts.openGraph).to.deep.equal({ title: 'sale' });
    expect(facts.headings[0]).to.deep.equal({ level: 1, text: 'EVERYTHING MUST GO NOW' });
    expect(facts.headings.map(({ text }) => text)).to.include('Tools');
  });

  it('says null where there is nothing', () => {
    const nothing = {
      title: null,
      language: null,
      description: null,
      canonical: null,
      openGraph: {},
      headings: [],
      linkCount: 0,
    };
    expect(readPage('', URL_OF_PAGE)).to.deep.equal(nothing);
    expect(readPage('<title>  \n </title>', URL_OF_PAGE)).to.deep.equal(nothing);
    expect(readPage(page('no-title.html').toString(), URL_OF_PAGE).title).to.equal(null);
  });

  it('takes no title from an image or a script', () => {
    const text =
      '<svg><title>no</title></svg><script>"<title>no</title>"</script><!--<title>no</title>--><title>yes</title>';
    expect(readPage(text, URL_OF_PAGE).title).to.equal('yes');
  });

  it('drops a canonical link that leads nowhere', () => {
    for (const href of ['javascript:alert(1)', 'http://[', 'data:,x']) {
      expect(readPage(`<link rel=canonical href="${href}">`, URL_OF_PAGE).canonical, href).to.equal(null);
    }
    expect(readPage('<link rel=canonical href="//u:p@Other.example">', URL_OF_PAGE).canonical).to.equal(
      'https://other.example/',
    );
  });

  it('leaves no character that a store refuses', () => {
    const text = decodePage(page('controls.html'), undefined).text;
    const facts = readPage(text, URL_OF_PAGE);
    expect(facts.title).to.match(/^Nul .* and lone \ufffd and \ufffd and bell here$/);
    expect(JSON.stringify(facts)).to.not.match(/\\u|\0/);
  });

  it('stays within the size of a result whatever the page says', () => {
    const long = '漢'.repeat(50_000);
    const many = Array.from(
      { length: 500 },
      (_, n) => `<h2>${n}${long.slice(0, 500)}</h2><meta property="og:k${n}" content="${long.slice(0, 3_000)}">`,
    );
    const text = `<html lang="${long}"><title>${long}</title><meta name=description content="${long}"><link rel=canonical href="/${long}">${many.join('')}`;
    const facts = readPage(text, URL_OF_PAGE);
    expect(Buffer.byteLength(JSON.stringify(facts))).to.be.below(60_000);
    expect(facts.title).to.match(/^漢+…$/);
    expect(facts.headings.length).to.be.above(10);
  });

  it('bears pages that nest deeper than a call stack', () => {
    const facts = readPage(`${'<div>'.repeat(200_000)}<h1>${'<b><i>'.repeat(200)}deep</h1>`, URL_OF_PAGE);
    expect(facts.headings).to.deep.equal([{ level: 1, text: 'deep' }]);
  });

  it('refuses a page whose tree explodes', () => {
    const formatting = Array.from({ length: 3_000 }, (_, n) => `<b a${n}>`).join('');
    expect(() => readPage(`<p>${formatting}${'</p><p>x'.repeat(3_000)}`, URL_OF_PAGE))
      .to.throw()
      .with.property('code', 'PAGE_TOO_COMPLEX');
  });

  it('never fails on whatever bytes', () => {
    const bits = fc.constantFrom(
      '<',
      '>',
      '/',
      '"',
      "'",
      '=',
      '&',
      '&#0;',
      '<!--',
      '-->',
      '<title>',
      '</title>',
      '<h1',
      '<a href',
      '<table>',
      '<svg>',
      'x',
      ' ',
      '\0',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 60 }), (parts) => {
        const facts = readPage(parts.join(''), URL_OF_PAGE);
        expect(JSON.stringify(facts)).to.not.match(/\\u(0000|d[89a-f])/);
      }),
    );
  });
});

describe('decoding a page', () => {
  const cases: [file: string, header: string | undefined, charset: string, contains: string][] = [
    ['novosti.html', 'windows-1251', 'windows-1251', 'Мосты снова разведены'],
    ['cafe-latin1.html', undefined, 'windows-1252', 'Café Zoë – la carte du jour'],
    ['densha.html', undefined, 'shift_jis', '電車の時刻表 ― 表示と予約'],
    ['harbour-utf16.html', undefined, 'utf-16le', 'Havnen i Ærøskøbing'],
    ['harbour-utf16.html', 'windows-1251', 'utf-16le', 'Havnen i Ærøskøbing'],
    ['xinwen-gb18030.html', undefined, 'gbk', '镕基路改造'],
    ['shop.html', 'no-such-charset', 'utf-8', '1.2&nbsp;l'],
  ];
  for (const [file, header, charset, contains] of cases) {
    it(`${file} with ${header ?? 'no charset'} in the header is ${charset}`, () => {
      const decoded = decodePage(page(file), header);
      expect(decoded.charset).to.equal(charset);
      expect(decoded.text).to.contain(contains);
    });
  }
  it('takes for UTF-8 what is UTF-8 and says nothing, else windows-1252', () => {
    expect(decodePage(Buffer.from('<title>Ærø</title>'), undefined)).to.deep.equal({
      text: '<title>Ærø</title>',
      charset: 'utf-8',
    });
    expect(decodePage(Buffer.from('<title>\xc6r\xf8 \x80</title>', 'latin1'), undefined)).to.deep.equal({
      text: '<title>Ærø €</title>',
      charset: 'windows-1252',
    });
  });
  it('finds the charset in a content type', () => {
    expect(charsetOf('text/html; charset=UTF-8')).to.equal('UTF-8');
    expect(charsetOf('text/html;charset="windows-1251" ; x=y')).to.equal('windows-1251');
    expect(charsetOf('text/html')).to.equal(undefined);
    expect(charsetOf(undefined)).to.equal(undefined);
  });
});

describe('media types', () => {
  it('are read from the header', () => {
    expect(mediaTypeOf('Text/HTML; charset=x')).to.equal('text/html');
    for (const none of [undefined, '', 'html', ';', 'text/']) expect(mediaTypeOf(none)).to.equal(undefined);
  });
  it('are guessed from how a text begins', () => {
    for (const yes of [
      '',
      ' \n',
      '<!DOCTYPE html>',
      '<?xml version="1.0"?><!-- a --><!-- b -->\n<HTML lang=en>',
      '<p>',
    ])
      expect(looksLikeHtml(yes), yes).to.equal(true);
    for (const no of ['{"a":1}', 'plain', '<rss>', '<svg>', '%PDF-1.7']) expect(looksLikeHtml(no), no).to.equal(false);
    expect(looksLikeHtml(`${'<!---->'.repeat(500)}x`)).to.equal(false);
  });
});
