import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostGuard } from './allowed-host.ts';

const loopback = hostGuard({ host: '127.0.0.1', hostNames: ['tollgate.example'] });

test('on a loopback address only its own and the configured names are answered', () => {
  const fine = ['127.0.0.1:8470', 'localhost:8470', 'LOCALHOST', '[::1]:8470', '127.1.2.3'];
  for (const host of [...fine, 'tollgate.example:80', 'Tollgate.Example', undefined]) {
    assert.equal(loopback('GET', host === undefined ? {} : { host }), undefined, `${host}`);
    assert.equal(loopback('GET', host === undefined ? {} : { host }), undefined, 'asked again');
  }
  const foreign = ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8470', 'a b'];
  for (const host of foreign) assert.notEqual(loopback('GET', { host }), undefined, host);
});

test('on another address any name is answered', () => {
  const open = hostGuard({ host: '0.0.0.0', hostNames: [] });
  assert.equal(open('GET', { host: 'tollgate.corp:8470' }), undefined);
});

test('a page of another origin may look but not change', () => {
  const headers = (origin: string) => ({ host: '127.0.0.1:8470', origin });
  assert.equal(loopback('POST', headers('http://127.0.0.1:8470')), undefined);
  for (const origin of ['http://127.0.0.1:3000', 'https://evil.example', 'null', 'x']) {
    assert.notEqual(loopback('POST', headers(origin)), undefined, origin);
    assert.equal(loopback('GET', headers(origin)), undefined);
  }
});
