import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFeed } from './byte-feed.ts';

async function* chunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}

test('pieces of any length come out in order, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(20), { maxLength: 10 }),
      fc.array(fc.nat(30), { maxLength: 10 }),
      async (sizes, lengths) => {
        const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
        const feed = new ByteFeed(chunks(bytes, sizes));
        let at = 0;
        for (const length of lengths) {
          assert.deepEqual(await feed.peek(length), bytes.subarray(at, at + length));
          const taken = await feed.take(length);
          if (taken === undefined) {
            assert.ok(at + length > bytes.length);
            break;
          }
          assert.deepEqual(taken, bytes.subarray(at, at + length));
          at += length;
        }
        const rest: Uint8Array[] = [];
        for await (const chunk of feed.rest()) rest.push(chunk);
        assert.deepEqual(Buffer.concat(rest), bytes.subarray(at));
      },
    ),
  );
});

test('what is left after the end is still there to look at', async () => {
  const feed = new ByteFeed(chunks(Buffer.from('abc'), [1]));
  assert.equal(await feed.take(4), undefined);
  assert.equal((await feed.peek(10)).toString(), 'abc');
  assert.equal((await feed.take(3))?.toString(), 'abc');
  assert.equal((await feed.peek(1)).length, 0);
});
