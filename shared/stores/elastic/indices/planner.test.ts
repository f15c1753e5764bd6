import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, type Instant } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import { appendToPlan, type IndexPlan, newestEntries, newestPools, poolOf } from './plan.ts';
import { utcMonth } from './plan-names.ts';
import { PlannedPlaces } from './plan-places.ts';
import { firstPlan, type PlannerInput, type ProjectWish, planIndices } from './planner.ts';

const GB = 1_000_000_000;
const PREFIX = 'tollgate-logs';
const START = Date.UTC(2026, 10, 16);
const OLDEST = Date.UTC(2025, 9);
const LEAD_MS = 2 * DAY_MS + 720_000;
const ETL = 'etl' as ProjectId;

const volume = (gb: number, wishes: ReadonlyMap<ProjectId, ProjectWish> = new Map()) => ({
  volumes: new Map([[ETL, gb * GB]]),
  wishes,
});
const direct = new Map([[ETL, { direct: true, bytesPerDay: 0 }]]);
const expected = (pooledGb = 0) => ({ oldest: OLDEST, pooledBytesPerDay: pooledGb * GB });
const bare = firstPlan(new Map(), expected());

/** The plan after a run of the planner at `now`. */
function planned(plan: IndexPlan, input: PlannerInput, now: Instant): IndexPlan {
  const earliest = now + LEAD_MS;
  return appendToPlan(plan, planIndices(plan, input, earliest), earliest);
}

/** The plan after a run a day, with the volume that each day has. */
function plannedDaily(plan: IndexPlan, gbEachDay: readonly number[], start = START): IndexPlan {
  return gbEachDay.reduce(
    (grown, gb, day) => planned(grown, volume(gb), start + day * DAY_MS),
    plan,
  );
}

const daysOf = (gb: number, count: number): number[] => new Array<number>(count).fill(gb);

test('a small project stays pooled, a medium one gets months, a large one days', () => {
  assert.deepEqual(planned(bare, volume(0.01), START).entries, []);
  const [medium] = planned(bare, volume(1), START).entries;
  assert.equal(medium?.layout, 'own-monthly');
  const [large] = planned(bare, volume(200), START).entries;
  assert.equal(large?.layout, 'own-daily');
  assert.ok(large.primaries >= 5, `${large.primaries} primaries`);
});

test('more room comes with the first UTC day after the lead, less with a month', () => {
  const [up] = planned(bare, volume(200), START + 1).entries;
  assert.equal(up?.validFrom, START + 3 * DAY_MS);
  const big = planned(bare, volume(200), START);
  assert.equal(plannedDaily(big, daysOf(0.001, 8), START + DAY_MS).entries.length, 1);
  const down = plannedDaily(big, daysOf(0.001, 30), START + DAY_MS);
  assert.deepEqual(
    down.entries.map(({ layout, validFrom }) => [layout, new Date(validFrom).toISOString()]),
    [
      ['own-daily', '2026-11-19T00:00:00.000Z'],
      ['pooled', '2026-12-01T00:00:00.000Z'],
    ],
  );
});

test('a volume that swings around a threshold changes nothing', () => {
  const swing = (from: number, to: number): number[] =>
    Array.from({ length: 120 }, (_, day) => (day % 2 === 0 ? from : to));
  for (const [from, to] of [
    [9, 11],
    [6, 14],
    [0.19, 0.21],
    [0.11, 0.35],
    [150, 250],
  ] as const) {
    assert.ok(plannedDaily(bare, swing(from, to)).entries.length <= 2, `${from} to ${to} GB a day`);
  }
});

test('a direct project lies alone from the first day, however small', () => {
  const first = firstPlan(direct, expected());
  assert.equal(
    new PlannedPlaces(PREFIX, first).place(ETL, START),
    'tollgate-logs-etl~monthly-2026.11',
  );
  let plan = first;
  for (let day = 0; day < 120; day += 1) {
    plan = planned(plan, volume(0, direct), START + day * DAY_MS);
  }
  assert.deepEqual(plan, first);
  // Marked later, it waits for the next boundary: what is stored is never moved.
  const [marked] = planned(bare, volume(0, direct), START).entries;
  assert.deepEqual([marked?.layout, marked?.validFrom], ['own-monthly', START + 3 * DAY_MS]);
});

test('an expected volume is planned for before it is measured', () => {
  const wishes = new Map([[ETL, { direct: false, bytesPerDay: 200 * GB }]]);
  const [entry] = firstPlan(wishes, expected()).entries;
  assert.equal(entry?.layout, 'own-daily');
  assert.ok(entry.primaries >= 5);
  const pools = newestPools(firstPlan(new Map(), expected(10)));
  const shardGb = (10 * 31) / pools.count / pools.primaries;
  assert.ok(shardGb <= 50 && shardGb >= 1, `${shardGb} GB`);
});

const histories = fc.array(
  fc.array(
    fc.record({
      project: fc.integer({ min: 0, max: 30 }).map((id) => `p-${id}` as ProjectId),
      gb: fc.oneof(
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 3_000, noNaN: true }),
      ),
    }),
    { maxLength: 12 },
  ),
  { maxLength: 25 },
);
const inputOf = (day: readonly { project: ProjectId; gb: number }[]): PlannerInput => ({
  volumes: new Map(day.map(({ project, gb }) => [project, gb * GB])),
  wishes: new Map([['p-3' as ProjectId, { direct: true, bytesPerDay: 0 }]]),
});

test('whatever the volumes do, no record that can be stored already moves', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 0, max: DAY_MS - 1 }), (history, ofDay) => {
      let plan = bare;
      for (const [index, day] of history.entries()) {
        const now = START + index * DAY_MS + ofDay;
        const next = planned(plan, inputOf(day), now);
        const before = new PlannedPlaces(PREFIX, plan);
        const after = new PlannedPlaces(PREFIX, next);
        for (const project of ['p-3', ...day.map((one) => one.project)] as ProjectId[]) {
          for (const ageDays of [-400, -31, -1, 0, 1, 2]) {
            const at = now + ageDays * DAY_MS;
            assert.equal(after.place(project, at), before.place(project, at));
          }
        }
        plan = next;
      }
    }),
    { numRuns: 60 },
  );
});

test('a planned shard holds 1 to 50 GB, wherever the volume was before', () => {
  fc.assert(
    fc.property(histories, (history) => {
      let plan = bare;
      for (const [index, day] of history.entries()) {
        // Twice, four days apart: what was decided before is in force, and then it is decided anew.
        for (const step of [0, 4]) {
          plan = planned(plan, inputOf(day), START + (index * 8 + step) * DAY_MS);
        }
        const newest = newestEntries(plan);
        for (const [project, bytes] of inputOf(day).volumes) {
          const entry = newest.get(project);
          if (entry?.layout !== 'own-daily') continue;
          const shardGb = bytes / entry.primaries / GB;
          assert.ok(shardGb <= 50, `${project}: ${shardGb} GB`);
          assert.ok(shardGb >= 1 || bytes < 5 * GB, `${project}: ${shardGb} GB`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('months and pools are planned for 1 to 50 GB a shard too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 9.9, noNaN: true }), { maxLength: 400 }),
      (gbs) => {
        const day = gbs.map((gb, id) => ({ project: `m-${id}` as ProjectId, gb }));
        const plan = planned(bare, inputOf(day), START);
        const newest = newestEntries(plan);
        const { count, primaries } = newestPools(plan);
        const pools = new Array<number>(count).fill(0);
        for (const { project, gb } of day) {
          const own = newest.get(project);
          if (own === undefined) {
            const pool = poolOf(project, count);
            pools[pool] = (pools[pool] ?? 0) + gb * 31;
            continue;
          }
          const shardGb = (gb * 31) / own.primaries;
          assert.ok(shardGb >= 1 && shardGb <= 50, `${project}: ${shardGb} GB`);
        }
        for (const pool of pools) assert.ok(pool / primaries <= 50, `${pool} GB in ${primaries}`);
      },
    ),
    { numRuns: 100 },
  );
});

test('1,000 small projects and 3 large ones need fewer than 100 indices in 30 days', () => {
  const large = new Map(
    ['l-1', 'l-2', 'l-3'].map((id) => [id as ProjectId, { direct: false, bytesPerDay: 200 * GB }]),
  );
  const smalls = Array.from({ length: 1_000 }, (_, id) => `team-${id}` as ProjectId);
  const volumes = new Map(smalls.map((project) => [project, 0.01 * GB]));
  let plan = firstPlan(large, expected());
  const indices = new Set<string>();
  for (let day = 0; day < 30; day += 1) {
    const now = START + day * DAY_MS;
    plan = planned(plan, { volumes, wishes: large }, now);
    const places = new PlannedPlaces(PREFIX, plan);
    for (const project of [...smalls, ...large.keys()]) indices.add(places.place(project, now));
  }
  assert.notEqual(utcMonth(START), utcMonth(START + 29 * DAY_MS), 'the days lie in two months');
  assert.ok(indices.size < 100, `${indices.size} indices`);
  assert.ok(indices.size >= 90, 'each large project has its own index a day');
});
