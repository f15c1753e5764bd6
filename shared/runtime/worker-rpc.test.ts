import assert from 'node:assert/strict';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { AppError } from '../errors/app-error.ts';
import { connectRpc, type Handlers, serveRpc } from './worker-rpc.ts';

function connected(handlers: Handlers) {
  const { port1, port2 } = new MessageChannel();
  serveRpc(port1, handlers);
  return { client: connectRpc(port2), port1, port2, [Symbol.dispose]: () => port1.close() };
}

test('calls are answered, out of order where the handlers are', async () => {
  const order: string[] = [];
  using line = connected({
    slow: async (name: never) => {
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      order.push(name);
      return `slow ${name}`;
    },
    fast: async (name: never) => {
      order.push(name);
      return `fast ${name}`;
    },
  });
  const answers = await Promise.all([
    line.client.call('slow', ['a']),
    line.client.call('fast', ['b']),
  ]);
  assert.deepEqual(answers, ['slow a', 'fast b']);
  assert.deepEqual(order, ['b', 'a']);
});

test('an error of the world keeps its code, message and details', async () => {
  using line = connected({
    full: async () => {
      throw new AppError('OVERLOADED', 'the queue is full', { details: { retryAfterMs: 500 } });
    },
  });
  await assert.rejects(line.client.call('full', []), (error: AppError) => {
    assert.equal(error.code, 'OVERLOADED');
    assert.deepEqual(error.details, { retryAfterMs: 500 });
    return true;
  });
});

test('a method that does not exist, inherited names included, rejects', async () => {
  using line = connected({});
  await assert.rejects(line.client.call('constructor', []), /no such method/);
});

test('bytes that are transferred arrive without a copy staying behind', async () => {
  using line = connected({ size: async (bytes: never) => (bytes as Uint8Array).byteLength });
  const bytes = new Uint8Array(1024);
  assert.equal(await line.client.call('size', [bytes], [bytes.buffer]), 1024);
  assert.equal(bytes.byteLength, 0);
});

test('calls in flight and later ones reject when the other thread ends', async () => {
  const line = connected({ hang: () => new Promise(() => {}) });
  const hanging = line.client.call('hang', []);
  line.port1.close();
  await assert.rejects(hanging, /has ended/);
  await assert.rejects(line.client.call('hang', []), /has ended/);
});
