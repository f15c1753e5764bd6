import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnsweringServer } from '../../test/support/answering-server.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { AppError } from '../errors/app-error.ts';
import { createFetchJson, problemReason, problemStatus } from './fetch-json.ts';
import { mapBounded } from './map-bounded.ts';

const NEVER = new AbortController().signal;

async function bench() {
  const server = await AnsweringServer.open();
  const clock = new FakeClock();
  const fetchJson = createFetchJson({ clock, timeoutMs: 1_000, maxBytes: 1_000 });
  const get = (path: string, signal = NEVER) => fetchJson(new URL(path, server.url), signal);
  const reason = (path: string) =>
    get(path).then(
      () => 'none',
      (error: unknown) => problemReason(error),
    );
  return { server, clock, get, reason };
}

test('JSON comes as it is, and the clock holds no sleeper afterwards', async () => {
  const { server, clock, get } = await bench();
  await using _ = server;
  server.set({ '/a': { json: { apps: null } } });
  assert.deepEqual(await get('/a'), { apps: null });
  assert.equal(clock.sleepers, 0);
});

test('what is no answer has a reason, and its message names the address without its query', async () => {
  const { server, get, reason } = await bench();
  await using _ = server;
  server.set({
    '/starting': { text: 'Spark is starting up. Please wait a while until it’s ready.' },
    '/page': { text: '<html>login</html>' },
    '/cut': { json: { apps: { app: [1, 2, 3] } }, cutAt: 15 },
    '/broken': { breakOff: true },
    '/away': { text: 'busy', status: 503 },
    '/large': { text: `"${'x'.repeat(2_000)}"` },
    '/standby': { text: 'This is standby RM. The redirect url is: /' },
  });
  assert.equal(await reason('/starting'), 'starting-up');
  assert.equal(await reason('/page'), 'not-json');
  assert.equal(await reason('/cut'), 'not-json');
  assert.equal(await reason('/broken'), 'unreachable');
  assert.equal(await reason('/away'), 'bad-status');
  assert.equal(await reason('/large'), 'too-large');
  assert.equal(await reason('/standby'), 'standby');
  const error = await get('/none?user.name=secret').catch((caught: unknown) => caught);
  assert.ok(error instanceof AppError);
  assert.equal(problemStatus(error), 404);
  assert.match(error.message, /\/none answers 404/);
  assert.doesNotMatch(error.message, /secret/);
});

test('a standby manager’s redirect is followed, as a 307 and as a refresh, but not in circles', async () => {
  const { server, get, reason } = await bench();
  await using _ = server;
  server.set({
    '/active': { json: { ok: true } },
    '/moved': { text: '', status: 307, headers: { location: '/active' } },
    '/refresh': { text: 'This is standby RM', headers: { refresh: '3; url=/active' } },
    '/circle': { text: '', status: 302, headers: { location: '/circle' } },
    '/file': { text: '', status: 302, headers: { location: 'file:///etc/passwd' } },
  });
  assert.deepEqual(await get('/moved'), { ok: true });
  assert.deepEqual(await get('/refresh'), { ok: true });
  assert.equal(await reason('/circle'), 'standby');
  assert.equal(await reason('/file'), 'bad-status');
});

test('a manager that does not answer in time is unreachable, and an abort is an abort', async () => {
  const { server, clock, get, reason } = await bench();
  await using _ = server;
  server.set({ '/slow': { never: true } });
  const slow = reason('/slow');
  while (server.asked.length < 1) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(1_000);
  assert.equal(await slow, 'unreachable');
  const stop = new AbortController();
  const aborted = get('/slow', stop.signal);
  stop.abort(new Error('stopping'));
  await assert.rejects(aborted, /stopping/);
  assert.equal(clock.sleepers, 0);
});

test('work is mapped in order, with no more under way than allowed', async () => {
  let running = 0;
  let most = 0;
  const results = await mapBounded([5, 4, 3, 2, 1], 2, async (n) => {
    running += 1;
    most = Math.max(most, running);
    for (let i = 0; i < n; i += 1) await Promise.resolve();
    running -= 1;
    return n * 10;
  });
  assert.deepEqual(results, [50, 40, 30, 20, 10]);
  assert.equal(most, 2);
});
