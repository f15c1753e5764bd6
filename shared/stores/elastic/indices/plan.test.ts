import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import {
  appendToPlan,
  BEGINNING,
  type IndexPlan,
  indexPlan,
  isAppendedTo,
  newestEntries,
  type PlanEntry,
  poolOf,
} from './plan.ts';

const ETL = 'etl' as ProjectId;
const DAY = Date.UTC(2026, 10, 21);
const PLAN: IndexPlan = {
  format: 1,
  oldest: Date.UTC(2025, 9),
  pools: [{ count: 2, primaries: 1, validFrom: BEGINNING }],
  entries: [{ project: ETL, layout: 'own-daily', primaries: 5, validFrom: DAY }],
};
const later = (validFrom: number): PlanEntry => ({
  project: ETL,
  layout: 'pooled',
  primaries: 1,
  validFrom,
});

test('a plan survives its way through JSON', () => {
  assert.deepEqual(indexPlan.parse(JSON.parse(JSON.stringify(PLAN))), PLAN);
});

test('a plan that is none is refused', () => {
  const [entry = later(DAY)] = PLAN.entries;
  for (const bad of [
    { ...PLAN, format: 2 },
    { ...PLAN, more: 1 },
    { ...PLAN, oldest: DAY },
    { ...PLAN, oldest: -DAY_MS },
    { ...PLAN, pools: [] },
    { ...PLAN, pools: [{ count: 2, primaries: 1, validFrom: DAY }] },
    { ...PLAN, pools: [{ count: 100, primaries: 1, validFrom: BEGINNING }] },
    { ...PLAN, pools: [...PLAN.pools, ...PLAN.pools] },
    { ...PLAN, entries: [{ ...entry, project: 'a~b' }] },
    { ...PLAN, entries: [{ ...entry, primaries: 0 }] },
    { ...PLAN, entries: [{ ...entry, layout: 'weekly' }] },
    { ...PLAN, entries: [{ ...entry, validFrom: DAY + 1 }] },
    { ...PLAN, entries: [entry, later(DAY)] },
    { ...PLAN, entries: [entry, later(DAY - DAY_MS)] },
  ]) {
    assert.equal(indexPlan.safeParse(bad).success, false, JSON.stringify(bad));
  }
});

test('an entry is appended only after its earliest date', () => {
  const entries = [later(DAY + DAY_MS)];
  const plan = appendToPlan(PLAN, { entries, pools: [] }, DAY + DAY_MS);
  assert.deepEqual(newestEntries(plan).get(ETL), later(DAY + DAY_MS));
  assert.throws(() => appendToPlan(PLAN, { entries, pools: [] }, DAY + DAY_MS + 1));
});

test('a plan that lost or changed an entry is told from one that grew', () => {
  const grown = appendToPlan(PLAN, { entries: [later(DAY + DAY_MS)], pools: [] }, DAY);
  assert.ok(isAppendedTo(PLAN, PLAN));
  assert.ok(isAppendedTo(PLAN, grown));
  assert.ok(!isAppendedTo(grown, PLAN));
  assert.ok(!isAppendedTo(PLAN, { ...PLAN, oldest: 0 }));
  assert.ok(!isAppendedTo(PLAN, { ...PLAN, entries: [later(DAY)] }));
  assert.ok(!isAppendedTo(PLAN, { ...PLAN, pools: [{ ...PLAN.pools[0], count: 3 } as never] }));
});

test('the pool of a project never changes from version to version', () => {
  const pools = ['etl', 'a', 'unattributed', 'team-1', 'team-2', 'x.y_z'].map((project) =>
    poolOf(project as ProjectId, 16),
  );
  assert.deepEqual(pools, [13, 3, 9, 9, 2, 15]);
});

test('pools get about the same number of projects', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.constantFrom('p-', 'team', 'x.'), (k, name) => {
      const counts = new Array<number>(k).fill(0);
      for (let at = 0; at < 1_000; at += 1) {
        const pool = poolOf(`${name}${at}` as ProjectId, k);
        counts[pool] = (counts[pool] ?? 0) + 1;
      }
      assert.ok(Math.max(...counts) < (1_000 / k) * 1.6 && Math.min(...counts) > (1_000 / k) * 0.4);
    }),
  );
});
