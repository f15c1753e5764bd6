import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { BadBatch } from './bad-batch.ts';
import { packSnappy, unpackSnappy } from './xerial-snappy.ts';

const HUGE = 2 ** 30;

test('what is packed is unpacked', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.nat(60), async (part, times) => {
      const plain = Buffer.concat(Array.from({ length: times }, () => part));
      assert.deepEqual(await unpackSnappy(packSnappy(plain), HUGE), plain);
    }),
  );
});

test('the framing is that of snappy-java', async () => {
  // "abc" in one block: header, versions, length of the block, length of the text, a literal.
  const known = '82534e41505059000000000100000001' + '00000005' + '03' + '08616263';
  const frame = Buffer.from(known, 'hex');
  assert.equal(String(await unpackSnappy(frame, HUGE)), 'abc');
  assert.equal(packSnappy(Buffer.from('abc')).toString('hex'), known);
});

test('a raw block, as librdkafka sends it, is unpacked too', async () => {
  const plain = Buffer.from('kafka '.repeat(1_000));
  assert.deepEqual(await unpackSnappy(compressSync(plain), HUGE), plain);
});

test('a length that is claimed beyond the limit is refused before anything is unpacked', async () => {
  const bomb = packSnappy(Buffer.alloc(1_000_000));
  await assert.rejects(unpackSnappy(bomb, 999_999), { reason: 'batch-too-large' });
  const claims = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
  await assert.rejects(unpackSnappy(claims, HUGE), { reason: 'batch-too-large' });
});

test('a frame that is cut is refused', async () => {
  const frame = packSnappy(Buffer.from('abc'.repeat(100)));
  for (const length of [17, 19, 25, frame.length - 1]) {
    await assert.rejects(unpackSnappy(frame.subarray(0, length), HUGE), (error) => {
      return error instanceof BadBatch && error.reason === 'batch-corrupt';
    });
  }
  await assert.rejects(unpackSnappy(Buffer.alloc(0), HUGE), BadBatch);
});
