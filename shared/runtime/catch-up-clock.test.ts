import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { catchUpClock } from './catch-up-clock.ts';

const HOUR = 3_600_000;

test('the clock runs fast through the past and then keeps pace with the present', async () => {
  const real = new FakeClock();
  const anchor = real.now();
  const clock = catchUpClock(real, { from: anchor - HOUR, anchor, speed: 61 });
  assert.equal(clock.now(), anchor - HOUR);
  await real.advance(30_000);
  assert.equal(clock.now(), anchor - HOUR + 30_000 * 61);
  await real.advance(30_000);
  assert.equal(clock.now(), real.now());
  await real.advance(5_000);
  assert.equal(clock.now(), real.now());
});

test('it never passes the present and never goes back', async () => {
  const real = new FakeClock();
  const clock = catchUpClock(real, { from: real.now() - HOUR, anchor: real.now(), speed: 100 });
  let before = clock.now();
  for (let i = 0; i < 100; i += 1) {
    await real.advance(777);
    const now = clock.now();
    assert.ok(now >= before && now <= real.now());
    before = now;
  }
});

test('a sleep is as short as the clock is fast, and real again at the present', async () => {
  const real = new FakeClock();
  const never = new AbortController().signal;
  const clock = catchUpClock(real, { from: real.now() - HOUR, anchor: real.now(), speed: 100 });
  let woken = false;
  void clock.sleep(10_000, never).then(() => {
    woken = true;
  });
  await real.advance(99);
  assert.equal(woken, false);
  await real.advance(2);
  assert.equal(woken, true);
  await real.advance(HOUR);
  woken = false;
  void clock.sleep(1_000, never).then(() => {
    woken = true;
  });
  await real.advance(999);
  assert.equal(woken, false);
  await real.advance(1);
  assert.equal(woken, true);
});
