import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { TlsFiles } from '../../../shared/config/listener-door.ts';
import { TLS_REREAD_MS } from '../../../shared/runtime/server-tls.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { type Authority, makeAuthority } from '../../../test/support/certificates.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { listenTcp, type TcpInput, type TcpInputOptions } from './tcp-input.ts';

interface Listening extends AsyncDisposable {
  readonly input: TcpInput;
  readonly clock: FakeClock;
  /** What each connection has sent, in the order in which they ended. */
  readonly texts: string[];
}

async function listen(tls: TlsFiles, more: Partial<TcpInputOptions> = {}): Promise<Listening> {
  const clock = new FakeClock();
  const texts: string[] = [];
  const input = await listenTcp({
    ...{ host: '127.0.0.1', port: 0, name: 'test', tls, clock },
    async onConnection({ chunks }) {
      const parts: Buffer[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      texts.push(Buffer.concat(parts).toString('latin1'));
    },
    logger: silentLogger,
    metrics: new Metrics(),
    ...more,
  });
  return { input, clock, texts, [Symbol.asyncDispose]: () => input[Symbol.asyncDispose]() };
}

async function dial({ input }: Listening, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: input.port, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** With TLS 1.3 a client learns only after its handshake that it was refused, by being cut off. */
async function isCutOff(at: Listening, options: ConnectionOptions): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: at.input.port, ...options });
  socket.on('error', () => {});
  socket.write('line\n');
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.deepEqual(at.texts, []);
}

async function authority(): Promise<Authority & AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder();
  return { ...(await makeAuthority(folder.path)), ...folder };
}

test('every byte arrives through TLS, and the listener closes with connections open', async () => {
  await using ca = await authority();
  await using at = await listen(await ca.sign('server'));
  const sent = 'x'.repeat(3_000_000);
  const socket = await dial(at, { ca: ca.ca });
  socket.end(sent);
  await once(socket, 'close');
  const idle = await dial(at, { ca: ca.ca });
  idle.on('error', () => {});
  const handshaking = connectPlain(at.input.port, '127.0.0.1');
  handshaking.on('error', () => {});
  await once(handshaking, 'connect');
  await at.input[Symbol.asyncDispose]();
  assert.deepEqual(
    at.texts.map((text) => text.length),
    [sent.length, 0],
  );
  idle.destroy();
});

test('plain text to a TLS listener reaches nobody', async () => {
  await using ca = await authority();
  await using at = await listen(await ca.sign('server'));
  const socket = connectPlain(at.input.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('metric 1 2\n'.repeat(100));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.deepEqual(at.texts, []);
});

test('a client needs a certificate of the configured authority, where there is one', async () => {
  await using ca = await authority();
  await using foreign = await authority();
  const server = await ca.sign('server');
  await using at = await listen({ ...server, caFile: ca.caFile });
  await isCutOff(at, { ca: ca.ca });
  const { cert, key } = await foreign.sign('stranger');
  await isCutOff(at, { ca: ca.ca, cert, key });
  const client = await ca.sign('client');
  const socket = await dial(at, { ca: ca.ca, cert: client.cert, key: client.key });
  socket.end('hello');
  await once(socket, 'close');
  assert.deepEqual(at.texts, ['hello']);
});

test('a renewed certificate is used without a restart; half a renewal changes nothing', async () => {
  await using ca = await authority();
  const files = await ca.sign('server');
  await using at = await listen(files);
  const fingerprint = async (): Promise<string> => {
    const socket = await dial(at, { ca: ca.ca });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.end();
    await once(socket, 'close');
    return fingerprint256;
  };
  /** The files are read by real input; the clock stands until they were. */
  const until = async (done: (seen: string) => boolean): Promise<void> => {
    for (let turn = 0; turn < 200; turn += 1) {
      await at.clock.advance(TLS_REREAD_MS);
      if (done(await fingerprint())) return;
    }
    assert.fail('the other certificate was never used');
  };
  const first = await fingerprint();
  const next = await ca.sign('next');
  writeFileSync(files.certificateFile, next.cert);
  for (let turn = 0; turn < 5; turn += 1) {
    await at.clock.advance(TLS_REREAD_MS);
    assert.equal(await fingerprint(), first, 'the key is still the old one');
  }
  writeFileSync(files.keyFile, next.key);
  await until((seen) => seen !== first);
});

test('files that make no certificate are named, without what they hold', async () => {
  await using ca = await authority();
  const [files, other] = [await ca.sign('server'), await ca.sign('other')];
  const failing = async (tls: TlsFiles): Promise<string> => {
    let message = '';
    await assert.rejects(listen(tls), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'CONFIG_INVALID');
      message = error.message;
      return true;
    });
    assert.ok(!message.includes(files.key.split('\n')[1] ?? ''), 'the key is in the message');
    return message;
  };
  assert.match(await failing({ ...files, keyFile: '/gone/k.pem' }), /keyFile: \/gone\/k\.pem.*ENO/);
  assert.match(await failing({ ...files, keyFile: other.keyFile }), /server\.pem and .*other\.key/);
  assert.match(await failing({ ...files, caFile: '/gone/ca.pem' }), /caFile: \/gone\/ca\.pem/);
});

test('a listener that other machines reach is refused in plain text', async () => {
  const files = { certificateFile: '', keyFile: '', caFile: '' };
  await assert.rejects(listen(files, { host: '0.0.0.0' }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, /^test: host of 0\.0\.0\.0:0 .*insecure: true/);
    return true;
  });
  await using at = await listen(files, { host: '0.0.0.0', insecure: true });
  assert.ok(at.input.port > 0);
});
