import { expect } from 'chai';
import { workerAddresses } from './workerAddresses.ts';

describe('the addresses of preview workers', () => {
  for (const [text, addresses] of [
    ['', []],
    [' , ', []],
    ['127.0.0.1:9300', ['127.0.0.1:9300']],
    ['10.0.0.1:9300, go-workers:1', ['10.0.0.1:9300', 'go-workers:1']],
    ['go-workers.taskflow.svc:65535,[::1]:9300', ['go-workers.taskflow.svc:65535', '[::1]:9300']],
  ] as const) {
    it(`are read from ${JSON.stringify(text)}`, () => {
      expect(workerAddresses.parse(text)).to.deep.equal(addresses);
    });
  }

  for (const text of [
    '127.0.0.1',
    '127.0.0.1:0',
    'a:65536',
    ':9300',
    'http://a:9300',
    '::1:9300',
    'a b:9300',
    'a:9300,b',
    '-a:1',
  ]) {
    it(`are refused: ${text}`, () => {
      expect(workerAddresses.safeParse(text).error?.issues[0]?.message).to.match(/^must be /);
    });
  }
});
