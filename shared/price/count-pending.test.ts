import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadFact, T0 } from '../../test/support/fact-builders.ts';
import type { LoadFact } from '../contracts/container-fact.ts';
import type { ProjectId } from '../values/project-id.ts';
import { type CountedPending, countPending } from './count-pending.ts';
import { DEFAULT_PRICE_RULE } from './price-rule.ts';
import { NO_LOAD, smoothLoad } from './smooth-load.ts';

const RULE = DEFAULT_PRICE_RULE;
const CAPACITY = { millicores: 100_000, memoryMib: 400_000, gpus: 10 };
const TICK_MS = 10_000;

const cores = (count: number) => ({ millicores: count * 1_000, memoryMib: 0, gpus: 0 });
const waits = (project: string, count: number) => ({
  project: project as ProjectId,
  resources: cores(count),
});

/** Cores that count after `ticks` of 10 s of the same demand. */
function counted(fact: LoadFact, ticks: number, before: CountedPending = {}): CountedPending {
  let now = before;
  for (let i = 0; i < ticks; i += 1) {
    now = countPending(fact, now, { capacity: CAPACITY, elapsedMs: TICK_MS }, RULE);
  }
  return now;
}

const coresOf = (pending: CountedPending): Record<string, number> =>
  Object.fromEntries(
    Object.entries(pending).map(([owner, { millicores }]) => [
      owner,
      Math.round(millicores) / 1_000,
    ]),
  );

test('demand counts in part while it is young, in full after two minutes, and not once it is gone', () => {
  const fact = loadFact(T0, 0, { pending: cores(12), pendingBy: [waits('etl', 12)] });
  assert.deepEqual(coresOf(counted(fact, 1)), { etl: 1 });
  assert.deepEqual(coresOf(counted(fact, 6)), { etl: 6 });
  assert.deepEqual(coresOf(counted(fact, 12)), { etl: 12 });
  assert.deepEqual(coresOf(counted(fact, 99)), { etl: 12 });
  assert.deepEqual(counted(loadFact(T0, 0), 1, counted(fact, 12)), {});
});

test('trap: Bogus demand moves price', () => {
  const bogus = loadFact(T0, 0, {
    pending: cores(900_000),
    pendingBy: [waits('bogus', 899_980), waits('etl', 20)],
  });
  // However much one asks for, it counts as a quarter of the cluster, and others as before.
  assert.deepEqual(coresOf(counted(bogus, 12)), { bogus: 25, etl: 20 });
  // Asked for and withdrawn within half a minute, every ten minutes for an hour.
  const ticks = Array.from({ length: 360 }, (_, tick) => {
    const asks = tick % 60 < 3;
    const pending = cores(asks ? 900_000 : 0);
    const pendingBy = asks ? [waits('bogus', 900_000)] : [];
    return loadFact(T0 + tick * TICK_MS, 0.55, { pending, pendingBy });
  });
  let highest = 0;
  for (let i = 1; i <= ticks.length; i += 1) {
    if (i % 20 === 0)
      highest = Math.max(highest, smoothLoad(NO_LOAD, ticks.slice(0, i), RULE).load);
  }
  assert.ok(highest < RULE.knee, `${highest}`);
});

test('not saying who waits is no way around the cap', () => {
  const nobody = loadFact(T0, 0, { pending: cores(80) });
  assert.deepEqual(coresOf(counted(nobody, 50)), { '': 25 });
  const some = loadFact(T0, 0, { pending: cores(80), pendingBy: [waits('etl', 30)] });
  assert.deepEqual(coresOf(counted(some, 50)), { '': 25, etl: 25 });
});

test('a project that waits in many applications is one project', () => {
  const parts = Array.from({ length: 40 }, () => waits('etl', 2));
  const fact = loadFact(T0, 0, { pending: cores(80), pendingBy: parts });
  assert.deepEqual(coresOf(counted(fact, 50)), { etl: 25 });
});

test('what counts is never more than is asked for, than the cap, or below nothing', () => {
  const demand = fc.record({ etl: fc.integer({ min: 0, max: 500 }), rest: fc.nat(500) });
  fc.assert(
    fc.property(fc.array(demand, { maxLength: 40 }), (list) => {
      let now: CountedPending = {};
      for (const { etl, rest } of list) {
        const fact = loadFact(T0, 0, {
          pending: cores(etl + rest),
          pendingBy: [waits('etl', etl)],
        });
        now = counted(fact, 1, now);
        assert.ok((now['etl']?.millicores ?? 0) <= Math.min(25_000, etl * 1_000));
        assert.ok((now['']?.millicores ?? 0) <= Math.min(25_000, rest * 1_000));
        for (const { millicores } of Object.values(now)) assert.ok(millicores > 0);
      }
    }),
  );
});
