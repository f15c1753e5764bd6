import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { AnsweringServer } from '../../test/support/answering-server.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { freePort } from '../../test/support/running-tollgate.ts';
import { createAskOnce, type OneRequest } from './ask-once.ts';

const NEVER = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function bench() {
  const server = await AnsweringServer.open();
  const clock = new FakeClock();
  const ask = createAskOnce({ clock, timeoutMs: 1_000, maxBytes: 500 });
  const put = (path: string, signal = NEVER) => {
    const url = new URL(path, server.url);
    const body = '{"a":"ä"}';
    return ask({ method: 'PUT', url, contentType: 'application/json', body }, signal);
  };
  return { server, clock, ask, put };
}

test('an order goes out once with its type and body, and the answer comes as it is', async () => {
  const { server, clock, put } = await bench();
  await using _ = server;
  server.set({ '/a': { text: '{"state":"KILLING"}', status: 202 } });
  const answer = await put('/a?user.name=x');
  const body = '{"state":"KILLING"}';
  assert.deepEqual(answer, { outcome: 'answered', status: 202, location: '', body, cut: '' });
  assert.deepEqual(server.requests, [
    { method: 'PUT', path: '/a?user.name=x', contentType: 'application/json', body: '{"a":"ä"}' },
  ]);
  assert.equal(clock.sleepers, 0);
});

test('a redirect is an answer: nothing is asked where it points', async () => {
  const { server, put } = await bench();
  await using _ = server;
  await using elsewhere = await AnsweringServer.open();
  server.set({ '/a': { text: '', status: 307, headers: { location: `${elsewhere.url}/a` } } });
  const answer = await put('/a');
  assert.deepEqual([answer.outcome, 'status' in answer && answer.status], ['answered', 307]);
  assert.equal('location' in answer && answer.location, `${elsewhere.url}/a`);
  assert.deepEqual([server.requests.length, elsewhere.requests.length], [1, 0]);
});

test('an answer whose end is missing or too long has its status, and says what is wrong', async () => {
  const { server, put } = await bench();
  await using _ = server;
  server.set({ '/half': { breakOff: true, status: 202 }, '/long': { text: 'x'.repeat(2_000) } });
  for (const [path, status, cut] of [
    ['/half', 202, 'broken off'],
    ['/long', 200, 'more than 500 B'],
  ] as const) {
    const answer = await put(path);
    assert.deepEqual('cut' in answer && [answer.status, answer.cut], [status, cut]);
  }
});

test('an order that was heard and not answered is lost, and isn’t sent again', async () => {
  const { server, clock, put } = await bench();
  await using _ = server;
  server.set({ '/gone': { hangUp: true }, '/never': { never: true } });
  const gone = await put('/gone');
  assert.deepEqual(gone, { outcome: 'lost', why: 'ECONNRESET' });
  const waiting = put('/never');
  while (server.requests.length < 2) await turn();
  await clock.advance(1_000);
  assert.deepEqual(await waiting, { outcome: 'lost', why: 'no answer within 1000 ms' });
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/gone', '/never'],
  );
  assert.equal(clock.sleepers, 0);
});

test('where no connection comes about nothing was asked', async () => {
  const { server, ask } = await bench();
  await using _ = server;
  const asking = (address: string) => {
    const request: OneRequest = { method: 'POST', url: new URL(address), body: '' };
    return ask(request, NEVER);
  };
  const refused = await asking(`http://127.0.0.1:${await freePort()}/`);
  assert.deepEqual(refused, { outcome: 'not-asked', why: 'ECONNREFUSED' });
  // A plain server where TLS is expected: nothing is said before the handshake is done.
  const tls = await asking(server.url.replace('http:', 'https:'));
  assert.equal(tls.outcome, 'not-asked');
  assert.deepEqual(server.requests, []);
});

test('a server that never finishes the handshake in time was not asked', async () => {
  const silent = createServer();
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const { server, clock, ask } = await bench();
  await using _ = server;
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const connected = new Promise((resolve) => silent.once('connection', resolve));
  const asking = ask({ method: 'PUT', url: new URL(`https://127.0.0.1:${port}/`) }, NEVER);
  await connected;
  await clock.advance(1_000);
  assert.deepEqual(await asking, { outcome: 'not-asked', why: 'no answer within 1000 ms' });
  silent.close();
});

test('nobody is asked after an abort, and an abort on the way is an abort', async () => {
  const { server, clock, put } = await bench();
  await using _ = server;
  server.set({ '/never': { never: true } });
  await assert.rejects(put('/never', AbortSignal.abort(new Error('stopping'))), /stopping/);
  assert.deepEqual(server.requests, []);
  const stop = new AbortController();
  const waiting = put('/never', stop.signal);
  while (server.requests.length < 1) await turn();
  stop.abort(new Error('stopping now'));
  await assert.rejects(waiting, /stopping now/);
  assert.equal(clock.sleepers, 0);
});
