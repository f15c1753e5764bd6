import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { HookServer } from '../../../../test/support/hook-server.ts';
import { DialGuard, type Resolve } from './dial-guard.ts';
import { OutboundHttp, retryAfterMs } from './outbound-http.ts';

const LOCAL = ['127.0.0.0/8'];
const { signal } = new AbortController();

function httpWith(allow: readonly string[], resolve?: Resolve, timeoutMs = 2_000): OutboundHttp {
  return new OutboundHttp({ guard: new DialGuard(allow, resolve), clock: systemClock, timeoutMs });
}

function post(url: URL) {
  return { url, method: 'POST' as const, headers: { 'x-a': 'b' }, body: '{"a":1}' };
}

test('a body is posted and the answer comes back', async () => {
  await using server = await HookServer.open();
  server.answer = () => ({ status: 202, text: 'taken', headers: { 'retry-after': '7' } });
  const answer = await httpWith(LOCAL).request(post(server.url), signal);
  assert.deepEqual(answer, {
    outcome: 'answered',
    status: 202,
    retryAfterMs: 7_000,
    text: 'taken',
  });
  assert.equal(server.requests[0]?.body, '{"a":1}');
  assert.equal(server.requests[0]?.headers['x-a'], 'b');
});

test('addresses of this machine are refused in every spelling, before anything is sent', async () => {
  await using server = await HookServer.open();
  const hosts = [
    ...['127.0.0.1', 'localhost', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0.0.0.0'],
    ...['[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '127.0.0.1.', '１２７.0.0.1'],
  ];
  for (const host of hosts) {
    const url = new URL(`http://${host}:${server.port}/hook`);
    const answer = await httpWith([]).request(post(url), signal);
    assert.equal(answer.outcome, 'failed', host);
    assert.match(answer.outcome === 'failed' ? answer.why : '', /no public address/, host);
  }
  assert.equal(server.requests.length, 0);
});

test('a name that turns to a private address between check and dial is refused at the dial', async () => {
  await using server = await HookServer.open();
  const turns = [[{ address: '93.184.216.34', family: 4 }], [{ address: '127.0.0.1', family: 4 }]];
  const guard = new DialGuard([], async () => turns.shift() ?? []);
  const url = new URL(`http://rebind.example:${server.port}/hook`);
  assert.equal(await guard.problem(url), undefined);
  const http = new OutboundHttp({ guard, clock: systemClock, timeoutMs: 1_000 });
  const answer = await http.request(post(url), signal);
  assert.match(
    answer.outcome === 'failed' ? answer.why : '',
    /rebind\.example leads to 127\.0\.0\.1/,
  );
  assert.equal(server.requests.length, 0);
});

test('the socket goes to the address that was judged, not to what the name says meanwhile', async () => {
  await using server = await HookServer.open();
  let asked = 0;
  const resolve: Resolve = async () => {
    asked += 1;
    return [
      { address: '10.9.9.9', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
  };
  const url = new URL(`http://two-faced.example:${server.port}/hook`);
  const answer = await httpWith(['127.0.0.1/32'], resolve).request(post(url), signal);
  assert.equal(answer.outcome, 'answered');
  assert.equal(asked, 1);
  assert.equal(server.requests[0]?.headers.host, `two-faced.example:${server.port}`);
});

test('a redirect is not followed, wherever it leads', async () => {
  await using server = await HookServer.open();
  await using inner = await HookServer.open();
  server.answer = () => ({ status: 307, headers: { location: inner.url.href }, text: '' });
  const answer = await httpWith(LOCAL).request(post(server.url), signal);
  assert.equal(answer.outcome === 'answered' && answer.status, 307);
  assert.equal(inner.requests.length, 0);
});

test('no answer, half an answer and none at all are told apart from an answer', async () => {
  await using server = await HookServer.open();
  const http = httpWith(LOCAL, undefined, 150);
  server.answer = () => ({ never: true });
  const late = await http.request(post(server.url), signal);
  assert.deepEqual(late, { outcome: 'failed', why: 'no answer within 150 ms' });
  for (const cut of ['before', 'within'] as const) {
    server.answer = () => ({ cut });
    assert.equal((await http.request(post(server.url), signal)).outcome, 'failed', cut);
  }
  const closed = new URL('http://127.0.0.1:1/secret-path?token=s3cret');
  const refused = await http.request(post(closed), signal);
  assert.match(refused.outcome === 'failed' ? refused.why : '', /ECONNREFUSED/);
  assert.doesNotMatch(JSON.stringify(refused), /s3cret|secret-path/);
});

test('an answer without end is read to its limit', async () => {
  await using server = await HookServer.open();
  server.answer = () => ({ text: 'x'.repeat(1 << 20) });
  const answer = await httpWith(LOCAL).request(post(server.url), signal);
  assert.equal(answer.outcome === 'answered' && answer.text.length, 65_536);
});

test('a stop is no result', async () => {
  await using server = await HookServer.open();
  server.answer = () => ({ never: true });
  const stop = new AbortController();
  const asked = httpWith(LOCAL).request(post(server.url), stop.signal);
  setTimeout(() => stop.abort(new Error('stopping')), 20);
  await assert.rejects(asked, /stopping|aborted/);
});

test('Retry-After is seconds or a date, and at most an hour', () => {
  const now = Date.UTC(2026, 10, 21, 9);
  assert.equal(retryAfterMs('30', now), 30_000);
  assert.equal(retryAfterMs('0.5', now), 500);
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 09:01:00 GMT', now), 60_000);
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 08:00:00 GMT', now), 0);
  assert.equal(retryAfterMs('999999999', now), 3_600_000);
  for (const text of [undefined, '', 'soon', '-5', '1e9']) {
    assert.equal(retryAfterMs(text, now), undefined, String(text));
  }
});
