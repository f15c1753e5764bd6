import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BulkSize } from './bulk-size.ts';

test('a busy server gets half, and more again when it takes that', () => {
  const size = new BulkSize(1_000_000);
  size.refused(1_000_000);
  assert.equal(size.bytes, 500_000);
  size.accepted();
  assert.equal(size.bytes, 625_000);
  for (let i = 0; i < 10; i += 1) size.accepted();
  assert.equal(size.bytes, 1_000_000);
});

test('a small bulk that was refused says that a small one is too much', () => {
  const size = new BulkSize(1_000_000);
  size.refused(100_000);
  assert.equal(size.bytes, 50_000);
  for (let i = 0; i < 20; i += 1) size.refused(size.bytes);
  assert.equal(size.bytes, 16_384);
});

test('a limit on the way is kept to after few refusals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (limit) => {
      const size = new BulkSize(1_000_000);
      let refusals = 0;
      for (let i = 0; i < 500; i += 1) {
        if (size.bytes <= limit) size.accepted();
        else {
          refusals += 1;
          size.tooLarge(size.bytes);
        }
      }
      assert.ok(size.bytes >= limit / 2, `${size.bytes} of ${limit}`);
      assert.ok(refusals <= 70, `${refusals} refusals`);
    }),
  );
});
