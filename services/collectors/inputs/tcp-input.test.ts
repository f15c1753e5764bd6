import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { listenTcp, type TcpConnection, type TcpInput } from './tcp-input.ts';

function listen(
  onConnection: (connection: TcpConnection) => Promise<void>,
  options: { port?: number; idleTimeoutMs?: number; metrics?: Metrics } = {},
): Promise<TcpInput> {
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    name: 'test',
    clock: systemClock,
    onConnection,
    logger: silentLogger,
    metrics: new Metrics(),
    ...options,
  });
}

async function dial(input: TcpInput): Promise<Socket> {
  const socket = connect(input.port, input.host);
  await once(socket, 'connect');
  return socket;
}

test('every byte of every connection arrives in order', async () => {
  const texts = new Map<number, string>();
  const metrics = new Metrics();
  const input = await listen(
    async ({ id, chunks }) => {
      texts.set(id, '');
      for await (const chunk of chunks) texts.set(id, texts.get(id) + chunk.toString('latin1'));
    },
    { metrics },
  );
  const sent = ['a', 'b'].map((sign) => sign.repeat(3_000_000));
  for (const text of sent) {
    const socket = await dial(input);
    socket.end(text);
    await once(socket, 'close');
  }
  await input[Symbol.asyncDispose]();
  assert.deepEqual([...texts.values()], sent);
  assert.deepEqual([...metrics.values('tollgate_tcp_bytes_total').values()], [6_000_000]);
});

test('a consumer that stops reading holds the sender back', async () => {
  const { promise: go, resolve: release } = Promise.withResolvers<void>();
  let received = 0;
  const input = await listen(async ({ chunks }) => {
    await go;
    for await (const chunk of chunks) received += chunk.length;
  });
  const socket = await dial(input);
  const piece = Buffer.alloc(1 << 20);
  let sent = 0;
  // Writes until the kernel and the paused socket take no more.
  const stalled = (): boolean => socket.writableLength > 4 * piece.length;
  while (!stalled() && sent < 200) {
    socket.write(piece);
    sent += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < 200, 'the sender was never held back');
  assert.equal(received, 0);
  release();
  socket.end();
  await once(socket, 'close');
  await input[Symbol.asyncDispose]();
  assert.equal(received, sent * piece.length);
});

test('disposing hands over what has arrived and closes the connection', async () => {
  let text = '';
  const { promise: first, resolve: arrived } = Promise.withResolvers<void>();
  const input = await listen(async ({ chunks }) => {
    for await (const chunk of chunks) {
      text += chunk.toString();
      arrived();
    }
  });
  const socket = await dial(input);
  socket.write('one');
  await first;
  socket.write(' two');
  const closed = once(socket, 'close');
  await new Promise((resolve) => setImmediate(resolve));
  await input[Symbol.asyncDispose]();
  socket.resume();
  await closed;
  assert.equal(text, 'one two');
});

test('a connection that breaks ends its chunks, and a handler that throws closes it', async () => {
  const ended: number[] = [];
  const input = await listen(async ({ id, chunks }) => {
    for await (const chunk of chunks) if (chunk.toString() === 'bad') throw new Error('bad');
    ended.push(id);
  });
  const broken = await dial(input);
  broken.write('x');
  broken.resetAndDestroy();
  await once(broken, 'close');
  const refused = await dial(input);
  refused.write('bad');
  refused.resume();
  await once(refused, 'close');
  await input[Symbol.asyncDispose]();
  assert.deepEqual(ended, [1]);
});

test('a silent connection is closed after its time', async () => {
  const input = await listen(
    async ({ chunks }) => {
      for await (const _ of chunks) assert.fail('nothing was sent');
    },
    { idleTimeoutMs: 5 },
  );
  const socket = await dial(input);
  socket.resume();
  await once(socket, 'close');
  await input[Symbol.asyncDispose]();
});

test('a taken port is named', async () => {
  const input = await listen(async () => {});
  await assert.rejects(
    listen(async () => {}, { port: input.port }),
    (error: Error & { code?: string }) =>
      error.code === 'PORT_TAKEN' && error.message.includes(`127.0.0.1:${input.port}`),
  );
  await input[Symbol.asyncDispose]();
});
