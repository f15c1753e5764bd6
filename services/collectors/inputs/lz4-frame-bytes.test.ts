import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { BadBatch } from './bad-batch.ts';
import { lz4FrameBytes } from './lz4-frame-bytes.ts';

const HUGE = 2 ** 30;
const text = 'hello hello hello hello\n';

test('the length is known before unpacking, whatever the bytes and checksums', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.string({ maxLength: 20 }).map((part) => Buffer.from(part.repeat(500))),
  );
  const options = fc.record({ contentChecksum: fc.boolean(), blockChecksums: fc.boolean() });
  fc.assert(
    fc.property(bytes, options, (plain, checksums) => {
      const frame = compressFrameSync(Buffer.from(plain), checksums);
      assert.equal(lz4FrameBytes(frame, HUGE), plain.length);
    }),
  );
});

test('frames of several blocks are added up', () => {
  const plain = Buffer.from(text.repeat(500_000));
  assert.equal(lz4FrameBytes(compressFrameSync(plain), HUGE), plain.length);
});

test('counting ends beyond the limit', () => {
  const bomb = compressFrameSync(Buffer.alloc(100_000_000));
  assert.ok(bomb.length < 1_000_000);
  const counted = lz4FrameBytes(bomb, 1_000_000);
  assert.ok(counted > 1_000_000 && counted < 10_000_000);
});

test('any cut, and any other bytes, are no frame', () => {
  const frame = compressFrameSync(Buffer.from(text.repeat(10)), { contentChecksum: true });
  for (let length = 0; length < frame.length; length += 1) {
    assert.throws(() => lz4FrameBytes(frame.subarray(0, length), HUGE), BadBatch, `${length}`);
  }
  assert.throws(() => lz4FrameBytes(Buffer.concat([frame, frame]), HUGE), /only content/);
  assert.throws(() => lz4FrameBytes(Buffer.from('hello hello'), HUGE), /no header/);
});
