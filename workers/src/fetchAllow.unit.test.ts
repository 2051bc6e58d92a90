import { expect } from 'chai';
import { parseAllowList } from './fetchAllow.ts';

describe('the list of what an operator opened (TASKFLOW_FETCH_ALLOW)', () => {
  it('opens nothing when empty', () => {
    const list = parseAllowList(' , ');
    expect(list.allowsAddress('127.0.0.1', 80)).to.equal(false);
    expect(list.allowsHost('localhost', 80)).to.equal(false);
  });

  it('opens ranges of both families, and single addresses', () => {
    const list = parseAllowList('10.1.0.0/16, 192.168.7.7, fd00:1::/32, ::1');
    expect(list.allowsAddress('10.1.255.1', 443)).to.equal(true);
    expect(list.allowsAddress('10.2.0.1', 443)).to.equal(false);
    expect(list.allowsAddress('192.168.7.7', 443)).to.equal(true);
    expect(list.allowsAddress('192.168.7.8', 443)).to.equal(false);
    expect(list.allowsAddress('fd00:1:2::3', 443)).to.equal(true);
    expect(list.allowsAddress('::1', 1)).to.equal(true);
    expect(list.allowsHost('10.1.0.1', 443), 'a range is no host name').to.equal(false);
  });

  it('does not open the mapped spelling with the IPv4 range', () => {
    expect(parseAllowList('127.0.0.0/8').allowsAddress('::ffff:127.0.0.1', 80)).to.equal(false);
  });

  it('opens a host name exactly, whatever case or trailing dot', () => {
    const list = parseAllowList('Intranet.Example');
    expect(list.allowsHost('intranet.example', 80)).to.equal(true);
    expect(list.allowsHost('INTRANET.example.', 80)).to.equal(true);
    expect(list.allowsHost('x.intranet.example', 80)).to.equal(false);
  });

  it('opens one port where one is named', () => {
    const list = parseAllowList('127.0.0.1:4000,[::1]:4001,build.example:8080,10.0.0.0/8:81');
    expect(list.allowsAddress('127.0.0.1', 4000)).to.equal(true);
    expect(list.allowsAddress('127.0.0.1', 5432)).to.equal(false);
    expect(list.allowsAddress('::1', 4001)).to.equal(true);
    expect(list.allowsAddress('::1', 80)).to.equal(false);
    expect(list.allowsHost('build.example', 8080)).to.equal(true);
    expect(list.allowsHost('build.example', 80)).to.equal(false);
    expect(list.allowsAddress('10.9.9.9', 81)).to.equal(true);
  });

  for (const wrong of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/x',
    '10.0.0.0/8/9',
    '300.1.1.1',
    '1.2.3',
    'a b',
    'host:0',
    'host:70000',
    'http://host',
    'host/24',
    '*.example.org',
  ]) {
    it(`refuses ${wrong}`, () => {
      expect(() => parseAllowList(wrong)).to.throw(wrong);
    });
  }
});
