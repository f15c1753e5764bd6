import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { AnsweringServer } from '../../../test/support/answering-server.ts';
import { makeAuthority } from '../../../test/support/certificates.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { fetchProblem, fetchText, type TextTarget } from './fetch-text.ts';

const never = new AbortController().signal;

function target(url: string, more: Partial<TextTarget> = {}): TextTarget {
  return { url: new URL(url), timeoutMs: 10_000, maxBytes: 1_000, accept: 'text/plain', ...more };
}

async function problem(asked: TextTarget): Promise<[string, string]> {
  try {
    await fetchText(asked, systemClock, never);
  } catch (error) {
    return [fetchProblem(error), (error as Error).message];
  }
  throw new Error('it answered');
}

async function serving(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a text comes with its type, also compressed, and after a redirect on the same server', async () => {
  await using server = await serving((request, response) => {
    if (request.url === '/m') response.writeHead(302, { location: '/m/' }).end();
    else {
      response.writeHead(200, { 'content-type': 'text/plain; x', 'content-encoding': 'gzip' });
      response.end(gzipSync(`a 1 ${request.headers.accept}\n`));
    }
  });
  assert.deepEqual(await fetchText(target(`${server.url}m`), systemClock, never), {
    text: 'a 1 text/plain\n',
    contentType: 'text/plain; x',
  });
});

test('what gives no text says why, without query or secret', async () => {
  await using server = await AnsweringServer.open();
  await using other = await AnsweringServer.open();
  server.set({
    '/away': { text: '', status: 302, headers: { location: `${other.url}/metrics` } },
    '/loop': { text: '', status: 302, headers: { location: '/loop' } },
    '/large': { text: 'x'.repeat(1_001) },
    '/zeros': {
      text: '',
      headers: { 'content-encoding': 'gzip' },
    },
    '/denied': { text: 'no', status: 401 },
    '/breaks': { breakOff: true },
  });
  const reasons = await Promise.all(
    ['away', 'loop', 'large', 'denied', 'breaks', 'zeros'].map((path) =>
      problem(target(`${server.url}/${path}?token=geheim`)),
    ),
  );
  assert.deepEqual(
    reasons.map(([reason]) => reason),
    [
      'redirect-refused',
      'redirect-refused',
      'too-large',
      'bad-status',
      'unreachable',
      'unreachable',
    ],
  );
  for (const [, message] of reasons) {
    assert.match(message, /^http:\/\/127\.0\.0\.1:\d+\//);
    assert.doesNotMatch(message, /geheim/);
  }
  assert.deepEqual(other.asked, []);
});

test('a small body that decompresses to a large one is refused', async () => {
  await using server = await serving((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('0'.repeat(1_000_000)));
  });
  assert.equal((await problem(target(server.url)))[0], 'too-large');
});

test('an answer that does not come is given up after the limit, or when the signal aborts', async () => {
  await using server = await AnsweringServer.open();
  server.set({ '/': { never: true } });
  const clock = new FakeClock();
  const late = fetchText(target(server.url), clock, never);
  const refused = assert.rejects(late, /doesn't answer within 10000 ms/);
  while (server.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(10_000);
  await refused;
  const stop = new AbortController();
  const stopped = fetchText(target(server.url), clock, stop.signal);
  stop.abort(new Error('stopping'));
  await assert.rejects(stopped, /stopping/);
  assert.equal(clock.sleepers, 0);
});

test('a token and a password are read from their files for each request', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fetch-'));
  const file = join(folder, 'secret');
  const seen: (string | undefined)[] = [];
  await using server = await serving((request, response) => {
    seen.push(request.headers.authorization);
    response.end('a 1\n');
  });
  await writeFile(file, 'one\n');
  await fetchText(target(server.url, { bearerTokenFile: file }), systemClock, never);
  await writeFile(file, 'two\n');
  await fetchText(target(server.url, { bearerTokenFile: file }), systemClock, never);
  await fetchText(target(server.url, { user: 'me', passwordFile: file }), systemClock, never);
  const basic = Buffer.from('me:two').toString('base64');
  assert.deepEqual(seen, ['Bearer one', 'Bearer two', `Basic ${basic}`]);
  await rm(folder, { recursive: true });
  const [reason, message] = await problem(target(server.url, { bearerTokenFile: file }));
  assert.equal(reason, 'secret-unreadable');
  assert.match(message, /secret can't be read \(ENOENT\)/);
});

test('a server is believed by the authority that is given, and by no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fetch-'));
  const authority = await makeAuthority(folder);
  const { cert, key } = await authority.sign('server');
  const server = createTlsServer({ cert, key }, (_, response) => {
    response.end('a 1\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { caFile } = authority;
  assert.equal((await fetchText(target(url, { caFile }), systemClock, never)).text, 'a 1\n');
  assert.equal((await problem(target(url)))[0], 'unreachable');
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});
