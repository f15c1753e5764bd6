import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteChannel } from './byte-channel.ts';

test('a write resolves when the reader has worked through it and asks for more', async () => {
  const channel = new ByteChannel();
  const done: number[] = [];
  const reader = (async () => {
    for await (const chunk of channel) {
      await Promise.resolve();
      done.push(chunk.length);
    }
  })();
  await channel.write(new Uint8Array(3));
  assert.deepEqual(done, [3]);
  await channel.write(new Uint8Array(4));
  assert.deepEqual(done, [3, 4]);
  channel.end();
  await reader;
});

test('a reader that stops lets every writer go on', async () => {
  const channel = new ByteChannel();
  const reader = (async () => {
    for await (const _ of channel) break;
  })();
  await channel.write(new Uint8Array(1));
  await reader;
  await channel.write(new Uint8Array(1));
});

test('an end without bytes ends the reader', async () => {
  const channel = new ByteChannel();
  channel.end();
  assert.deepEqual(await Array.fromAsync(channel), []);
});
