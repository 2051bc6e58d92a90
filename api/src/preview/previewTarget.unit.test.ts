import { expect } from 'chai';
import { previewTarget } from './previewTarget.ts';

describe('the addresses of preview workers', () => {
  it('may be none', () => {
    expect(previewTarget.parse('')).to.equal(undefined);
    expect(previewTarget.parse(' , ')).to.equal(undefined);
  });

  for (const [text, target, workers] of [
    ['127.0.0.1:9300', 'ipv4:127.0.0.1:9300', 1],
    ['10.0.0.1:9300, 10.0.0.2:9301', 'ipv4:10.0.0.1:9300,10.0.0.2:9301', 2],
    ['[::1]:9300,[fd00::2]:9300', 'ipv6:[::1]:9300,[fd00::2]:9300', 2],
    ['go-workers:9300', 'dns:///go-workers:9300', 'many'],
    ['go-workers.taskflow.svc:9300', 'dns:///go-workers.taskflow.svc:9300', 'many'],
  ] as const) {
    it(`are a target of gRPC: ${text}`, () => {
      expect(previewTarget.parse(text)).to.deep.equal({ target, workers });
    });
  }

  for (const text of [
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    ':9300',
    'http://go-workers:9300',
    'a:9300,b:9300',
    '127.0.0.1:9300,a:9300',
    '127.0.0.1:9300,[::1]:9300',
    '::1:9300',
    'a b:9300',
  ]) {
    it(`are refused: ${text}`, () => {
      expect(previewTarget.safeParse(text).error?.issues[0]?.message).to.match(/^must be /);
    });
  }
});
