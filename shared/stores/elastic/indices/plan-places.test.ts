import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import { appendToPlan, BEGINNING, type IndexPlan, type PlanEntry } from './plan.ts';
import { PlannedPlaces } from './plan-places.ts';

const PREFIX = 'tollgate-logs';
const START = Date.UTC(2026, 10, 1);
const ETL = 'etl' as ProjectId;
const SMALL = 'small' as ProjectId;
const BARE: IndexPlan = {
  format: 1,
  oldest: Date.UTC(2025, 10),
  pools: [{ count: 4, primaries: 1, validFrom: BEGINNING }],
  entries: [],
};
const entry = (layout: PlanEntry['layout'], day: number): PlanEntry => ({
  project: ETL,
  layout,
  primaries: 1,
  validFrom: START + day * DAY_MS,
});

/** Steps of a plan that grows: changes of one project and of the pools, at rising days. */
const steps = fc.array(
  fc.record({
    days: fc.integer({ min: 1, max: 40 }),
    change: fc.constantFrom('own-daily', 'own-monthly', 'pooled', 'pools'),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 8 },
);
const projects = fc.constantFrom(ETL, SMALL);
const instants = fc.oneof(
  fc.integer({ min: START - 500 * DAY_MS, max: START + 400 * DAY_MS }),
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
);

function grow(plan: IndexPlan, step: { day: number; change: string; count: number }): IndexPlan {
  const { change, count } = step;
  const validFrom = START + step.day * DAY_MS;
  const additions =
    change === 'pools'
      ? { entries: [], pools: [{ count, primaries: count, validFrom }] }
      : { entries: [entry(change as PlanEntry['layout'], step.day)], pools: [] };
  return appendToPlan(plan, additions, validFrom);
}

function* versions(list: readonly { days: number; change: string; count: number }[]) {
  let plan = BARE;
  let day = 0;
  yield { plan, from: START };
  for (const step of list) {
    day += step.days;
    plan = grow(plan, { ...step, day });
    yield { plan, from: START + day * DAY_MS };
  }
}

test('a record lies where the entry of its time says', () => {
  const plan = {
    ...BARE,
    entries: [entry('own-monthly', 0), entry('own-daily', 19), entry('pooled', 30)],
  };
  const places = new PlannedPlaces(PREFIX, plan);
  const at = (text: string): string => places.place(ETL, Date.parse(text));
  assert.match(at('2026-10-31T23:59:59.999Z'), /^tollgate-logs-~pool-0-0\d-2026\.10$/);
  assert.equal(at('2026-11-01T00:00:00Z'), 'tollgate-logs-etl~monthly-2026.11');
  assert.equal(at('2026-11-19T23:59:59.999Z'), 'tollgate-logs-etl~monthly-2026.11');
  assert.equal(at('2026-11-20T00:00:00Z'), 'tollgate-logs-etl~daily-2026.11.20');
  assert.equal(at('2026-11-30T23:59:59.999Z'), 'tollgate-logs-etl~daily-2026.11.30');
  assert.match(at('2026-12-01T00:00:00Z'), /^tollgate-logs-~pool-0-0\d-2026\.12$/);
});

test('whatever is appended to the plan, a record before it keeps its place', () => {
  fc.assert(
    fc.property(steps, fc.array(instants, { minLength: 1, maxLength: 20 }), (list, times) => {
      let before: IndexPlan | undefined;
      for (const { plan, from } of versions(list)) {
        const now = new PlannedPlaces(PREFIX, plan);
        for (const project of [ETL, SMALL]) {
          for (const at of before === undefined ? [] : [...times, from - 1]) {
            if (at >= from) continue;
            const old = new PlannedPlaces(PREFIX, before ?? plan).place(project, at);
            assert.equal(now.place(project, at), old);
          }
        }
        before = plan;
      }
    }),
  );
});

test('a place does not depend on what was asked before', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.tuple(projects, instants), { maxLength: 30 }), (list, asked) => {
      const plan = [...versions(list)].at(-1)?.plan ?? BARE;
      const busy = new PlannedPlaces(PREFIX, plan);
      for (const [project, at] of asked) {
        assert.equal(busy.place(project, at), new PlannedPlaces(PREFIX, plan).place(project, at));
      }
    }),
  );
});

test('the places of a span hold each of its records, and few more', () => {
  fc.assert(
    fc.property(steps, projects, fc.tuple(instants, instants, instants), (list, project, times) => {
      const [from = 0, at = 0, last = 0] = times.sort((a, b) => a - b);
      const plan = [...versions(list)].at(-1)?.plan ?? BARE;
      const places = new PlannedPlaces(PREFIX, plan);
      const found = places.places(project, from, last + 1);
      const place = places.place(project, at);
      assert.ok(
        found.some((name) =>
          name.endsWith('*') ? place.startsWith(name.slice(0, -1)) : name === place,
        ),
        `${place} is not in ${found.join()}`,
      );
      // 10 segments at most, each a pattern or 40 names.
      assert.ok(found.length <= 17 * 40);
      assert.equal(new Set(found).size, found.length);
    }),
  );
});

test('a day asks one index, an empty span none, and years ask by pattern', () => {
  const places = new PlannedPlaces(PREFIX, { ...BARE, entries: [entry('own-daily', 0)] });
  const daily = 'tollgate-logs-etl~daily-';
  assert.deepEqual(places.places(ETL, START, START + DAY_MS), [`${daily}2026.11.01`]);
  assert.equal(places.places(ETL, START, START + 40 * DAY_MS).length, 40);
  assert.deepEqual(places.places(ETL, START, START + 41 * DAY_MS), [`${daily}*`]);
  assert.deepEqual(places.places(ETL, START, START), []);
  assert.deepEqual(places.places(ETL, START, START - 1), []);
});

test('times before the oldest share its month, and no time is without a place', () => {
  const places = new PlannedPlaces(PREFIX, BARE);
  const oldest = places.place(SMALL, BARE.oldest);
  assert.match(oldest, /2025\.11$/);
  for (const at of [-8.64e15, -1, 0, BARE.oldest - 1])
    assert.equal(places.place(SMALL, at), oldest);
  assert.match(places.place(SMALL, 8.64e15), /9999\.12$/);
});
