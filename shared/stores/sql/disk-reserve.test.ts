import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { DiskReserve } from './disk-reserve.ts';

test('a disk with less than the reserve is an error that says how much is missing', () => {
  const reserve = new DiskReserve({
    folder: tmpdir(),
    reserveBytes: Number.MAX_SAFE_INTEGER,
    waits: 'logs',
    clock: new FakeClock(0),
  });
  assert.throws(
    () => reserve.check(),
    /logs wait: \d+ bytes are free .* 9007199254740991 are kept/,
  );
  // It is looked at again at once: a disk that was full may have room now.
  assert.throws(() => reserve.check(), { code: 'DISK_FULL' });
});

test('a disk with room passes', () => {
  new DiskReserve({
    folder: tmpdir(),
    reserveBytes: 0,
    waits: 'logs',
    clock: new FakeClock(0),
  }).check();
});
