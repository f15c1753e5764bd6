import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { AppError } from '../../../errors/app-error.ts';
import {
  DAY_MS,
  HOUR_MS,
  type Instant,
  MINUTE_MS,
  SECOND_MS,
  utcDay,
} from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import { appendToPlan, BEGINNING, type IndexPlan, type PlanEntry } from './plan.ts';
import { IndexPlanCache } from './plan-cache.ts';
import { COMMIT_MS, indexPlanConfig, leadMs } from './plan-config.ts';
import { PlannedPlaces } from './plan-places.ts';

const ETL = 'etl' as ProjectId;
const NOON = Date.UTC(2026, 10, 21, 12);
const FIRST: IndexPlan = {
  format: 1,
  oldest: Date.UTC(2025, 10),
  pools: [{ count: 1, primaries: 1, validFrom: BEGINNING }],
  entries: [],
};
const grown = (plan: IndexPlan, layout: PlanEntry['layout'], validFrom: Instant): IndexPlan =>
  appendToPlan(
    plan,
    { entries: [{ project: ETL, layout, primaries: 1, validFrom }], pools: [] },
    0,
  );
const DAILY = grown(FIRST, 'own-daily', utcDay(NOON));
const code = (error: unknown): unknown => (error instanceof AppError ? error.code : error);

class Reading {
  readonly clock = new FakeClock(NOON);
  readonly failures: unknown[] = [];
  read: () => Promise<IndexPlan> = async () => FIRST;

  open(): Promise<IndexPlanCache> {
    return IndexPlanCache.open({
      read: () => this.read(),
      prefix: 'tollgate-logs',
      clock: this.clock,
      refreshMs: 10_000,
      maxAgeMs: 60_000,
      onFailure: (error) => this.failures.push(code(error)),
    });
  }
}

const isTooOld = (error: unknown): boolean => code(error) === 'STORE_UNAVAILABLE';

test('a plan that grew is followed within the refresh interval', async () => {
  const reading = new Reading();
  await using cache = await reading.open();
  assert.match(cache.place(ETL, NOON), /~pool-/);
  reading.read = async () => DAILY;
  await reading.clock.advance(9_999);
  assert.match(cache.place(ETL, NOON), /~pool-/);
  await reading.clock.advance(1);
  assert.match(cache.place(ETL, NOON), /etl~daily-2026\.11\.21$/);
  assert.deepEqual(cache.places(ETL, NOON, NOON + 1), ['tollgate-logs-etl~daily-2026.11.21']);
});

test('nothing is placed by a plan that is too old, until it is read again', async () => {
  const reading = new Reading();
  await using cache = await reading.open();
  reading.read = async () => {
    throw new AppError('STORE_UNAVAILABLE', 'it does not answer');
  };
  await reading.clock.advance(60_000);
  cache.place(ETL, NOON);
  await reading.clock.advance(1);
  assert.throws(() => cache.place(ETL, NOON), isTooOld);
  assert.throws(() => cache.places(ETL, NOON, NOON + 1), isTooOld);
  assert.deepEqual(reading.failures, new Array(6).fill('STORE_UNAVAILABLE'));
  reading.read = async () => FIRST;
  await reading.clock.advance(10_000);
  assert.match(cache.place(ETL, NOON), /~pool-/);
});

test('the age of a plan counts from the start of its reading', async () => {
  const reading = new Reading();
  await using cache = await reading.open();
  reading.read = async () => {
    await reading.clock.sleep(30_000, new AbortController().signal);
    return FIRST;
  };
  // Read from second 10 to 40; the next reading starts at 50 and ends at 80.
  await reading.clock.advance(70_000);
  cache.place(ETL, NOON);
  await reading.clock.advance(1);
  assert.throws(() => cache.place(ETL, NOON), isTooOld);
  reading.read = async () => FIRST;
  await reading.clock.advance(30_000);
});

test('a plan that was made anew is not written by', async () => {
  const reading = new Reading();
  reading.read = async () => DAILY;
  await using cache = await reading.open();
  reading.read = async () => FIRST;
  await reading.clock.advance(10_000);
  assert.throws(
    () => cache.place(ETL, NOON),
    (error) => code(error) === 'STORE_MISCONFIGURED',
  );
  reading.read = async () => DAILY;
  await reading.clock.advance(10_000);
  assert.match(cache.place(ETL, NOON), /~daily-/);
});

test('without a plan it does not open', async () => {
  const reading = new Reading();
  reading.read = () => Promise.reject(new AppError('STORE_MISCONFIGURED', 'there is none'));
  await assert.rejects(reading.open(), (error) => code(error) === 'STORE_MISCONFIGURED');
});

/**
 * The bound, in small: a planner stores an entry, a writer may not have seen it, and a record that
 * it places must lie where the newest plan says.
 */
test('no writer with an old plan puts a record elsewhere than the newest plan', () => {
  const config = indexPlanConfig.parse({});
  const lead = leadMs(config);
  fc.assert(
    fc.property(
      fc.record({
        decided: fc.integer({ min: NOON, max: NOON + 40 * DAY_MS }),
        commitMs: fc.integer({ min: 0, max: COMMIT_MS }),
        readBeforeMs: fc.integer({ min: 0, max: MINUTE_MS }),
        planAgeMs: fc.integer({ min: 0, max: config.maxAgeMs }),
        clockMs: fc.integer({ min: -10 * MINUTE_MS, max: 10 * MINUTE_MS }),
        aheadMs: fc.oneof(
          fc.constant(config.latestAheadHours * HOUR_MS),
          fc.integer({ min: -400 * DAY_MS, max: config.latestAheadHours * HOUR_MS }),
        ),
      }),
      ({ decided, commitMs, readBeforeMs, planAgeMs, clockMs, aheadMs }) => {
        const validFrom = utcDay(decided + lead + DAY_MS - 1);
        const newest = appendToPlan(
          FIRST,
          { entries: [{ project: ETL, layout: 'own-daily', primaries: 1, validFrom }], pools: [] },
          decided + lead,
        );
        const read = decided + commitMs - readBeforeMs;
        const at = read + planAgeMs + clockMs + aheadMs;
        const stale = new PlannedPlaces('p', FIRST).place(ETL, at);
        assert.equal(stale, new PlannedPlaces('p', newest).place(ETL, at));
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(lead < 2 * DAY_MS + 15 * MINUTE_MS + SECOND_MS);
});
