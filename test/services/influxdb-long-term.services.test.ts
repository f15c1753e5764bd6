import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Series } from '../../shared/contracts/metric-point.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import { InfluxLongTerm } from '../../shared/stores/influx/run-long-term.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { Aggregate } from '../../shared/stores/metric-store.ts';
import { openSqliteLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { MetricBuckets } from '../../shared/stores/sql/metric-buckets.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { InfluxDatabase, type PointAt } from '../support/influx-database.ts';
import { type RunningInfluxdb, startInfluxdb } from './servers/influxdb.ts';

const ETL = 'etl' as ProjectId;
const NOW = systemClock.now();
/** An hour whose aggregates are due. */
const HOUR = utcHour(NOW) - 3 * HOUR_MS;
let server: RunningInfluxdb;

before(async () => {
  server = await startInfluxdb();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

/** Time that a test sets, over timers that run. */
class SetClock implements Clock {
  at = NOW;
  now = (): number => this.at;
  elapsed = systemClock.elapsed;
  sleep = systemClock.sleep;
}

function series(executor: number, query: string, field = 'jobs'): Series {
  const tags = { project: ETL, cluster: 'c1', application: `app-${executor % 2}`, query };
  return { measurement: 'driver', field, tags: { ...tags, executor: `${executor}` } };
}

/** Points of two hours: 5 executors of two queries, every 20 s. */
function twoHours(): PointAt[] {
  const points: PointAt[] = [];
  for (let at = HOUR; at < HOUR + 2 * HOUR_MS; at += 20_000) {
    for (let executor = 0; executor < 5; executor += 1) {
      const query = executor < 3 ? 'q1' : 'q2';
      points.push([series(executor, query), at + executor, Math.sin(at) * 100 + executor]);
    }
  }
  return points;
}

function expected(points: readonly PointAt[], query: string, step: number, of: Aggregate) {
  const buckets = new MetricBuckets(step);
  const chosen = points
    .filter(([{ tags }]) => tags['query'] === query)
    .sort(([, a], [, b]) => a - b);
  buckets.addPoints(
    Float64Array.from(chosen, ([, at]) => at),
    Float64Array.from(chosen, ([, , value]) => value),
  );
  return buckets.read(of);
}

async function assertRead(database: InfluxDatabase, points: readonly PointAt[]): Promise<void> {
  // It begins before the raw retention, so it is answered from aggregates.
  const from = NOW - 3 * DAY_MS;
  const query = { measurement: 'driver', field: 'jobs', from, until: NOW, limit: 10 };
  for (const stepMs of [5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS]) {
    for (const aggregate of ['min', 'max', 'sum', 'count', 'mean', 'last'] as const) {
      const found = await database.reader.query(ETL, { ...query, stepMs, aggregate });
      assert.deepEqual(
        found.map(({ tags }) => tags),
        ['q1', 'q2'].map((q) => ({ cluster: 'c1', project: ETL, query: q })),
      );
      for (const { tags, points: got } of found) {
        const want = expected(points, tags['query'] ?? '', stepMs, aggregate);
        assert.equal(got.length, want.length);
        got.forEach(([at, value], i) => {
          assert.equal(at, want[i]?.[0]);
          assert.ok(Math.abs(value - (want[i]?.[1] ?? 0)) < 1e-6, `${aggregate} ${value}`);
        });
      }
    }
  }
}

function longTerm(database: InfluxDatabase, leases: LeaseStore, clock: Clock): InfluxLongTerm {
  const holder = `h${Math.random()}`;
  const { config } = database;
  return new InfluxLongTerm({
    config,
    leases,
    holder,
    clock,
    random: Math.random,
    logger: silentLogger,
  });
}

test('hours are aggregated once by one of two, and again whole when points come late', async () => {
  const clock = new SetClock();
  const extra = { rawRetentionMs: 48 * HOUR_MS, batchBytes: 2_000 };
  await using database = await InfluxDatabase.create(server, extra, clock);
  const points = twoHours();
  await database.put(points.filter(([, at]) => at < HOUR + HOUR_MS));
  await assertRead(
    database,
    points.filter(([, at]) => at < HOUR + HOUR_MS),
  );
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock });
  await using a = longTerm(database, leases, clock);
  await using b = longTerm(database, leases, clock);
  const signal = new AbortController().signal;
  const rounds = await Promise.all([a.round(signal), b.round(signal)]);
  assert.deepEqual(rounds.map(({ hours }) => hours).sort(), [0, 1]);
  assert.deepEqual(await leases.held('rollup'), []);
  await assertRead(
    database,
    points.filter(([, at]) => at < HOUR + HOUR_MS),
  );
  // The second hour comes in, of which the reader takes raw points until it is aggregated.
  await database.put(points.filter(([, at]) => at >= HOUR + HOUR_MS));
  await assertRead(database, points);
  clock.at += 6 * MINUTE_MS;
  assert.ok((await a.round(signal)).hours >= 1);
  await assertRead(database, points);
  clock.at += 6 * MINUTE_MS;
  assert.equal((await b.round(signal)).hours, 0, 'nothing came, nothing is done');
  const late: PointAt = [series(9, 'q1'), HOUR + 7, 1e6];
  await database.put([late]);
  assert.equal((await a.round(signal)).hours, 1);
  await assertRead(database, [...points, late]);
});

test('long-term series are without application and executor, and bounded', async () => {
  const extra = { rawRetentionMs: 48 * HOUR_MS, maxLongSeries: 3 };
  await using database = await InfluxDatabase.create(server, extra);
  const points = Array.from({ length: 500 }, (_, i) => {
    return [series(i, `q${i % 5}`), HOUR + i * 1_000, i] as const;
  });
  await database.put(points);
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock: systemClock });
  await using runner = longTerm(database, leases, systemClock);
  const { dropped } = await runner.round(new AbortController().signal);
  assert.ok(dropped > 0);
  const found = await database.ask('SHOW TAG KEYS FROM "driver"');
  assert.ok(found.some(([key]) => key === 'executor'));
  const long = await database.ask('SELECT count("jobs_last") FROM "long"."driver" GROUP BY *');
  assert.equal(long.length, 3);
});

test('long-term series of all projects together are bounded, also after a restart', async () => {
  const extra = { rawRetentionMs: 48 * HOUR_MS, maxLongSeriesInAll: 5 };
  await using database = await InfluxDatabase.create(server, extra);
  const of = (project: string, hour: number): PointAt[] =>
    Array.from({ length: 4 }, (_, i) => {
      const { measurement, field, tags } = series(i, `q${i}`);
      return [{ measurement, field, tags: { ...tags, project } }, hour + i, i] as const;
    });
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock: systemClock });
  const signal = new AbortController().signal;
  const round = async () => {
    await using runner = longTerm(database, leases, systemClock);
    return (await runner.round(signal)).dropped;
  };
  const projectsOf = async () => {
    const found = await database.ask('SELECT count("jobs_last") FROM "long"."driver" GROUP BY *');
    return found.length;
  };
  await database.put(of('etl', HOUR));
  assert.equal(await round(), 0);
  await database.put(of('ads', HOUR));
  assert.equal(await round(), 3, 'one was left');
  assert.equal(await projectsOf(), 5);
  await database.put([...of('etl', HOUR - HOUR_MS), ...of('ads', HOUR - HOUR_MS)]);
  assert.equal(await round(), 3, 'each keeps what it has had');
  assert.equal(await projectsOf(), 5);
});

test('sums that are no double any more leave the other aggregates whole', async () => {
  await using database = await InfluxDatabase.create(server, { rawRetentionMs: 48 * HOUR_MS });
  await database.put([
    [series(1, 'q'), HOUR, 1.7e308],
    [series(2, 'q'), HOUR, 1.6e308],
    [series(1, 'q', 'rows'), HOUR, 3],
  ]);
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock: systemClock });
  await using runner = longTerm(database, leases, systemClock);
  await runner.round(new AbortController().signal);
  const query = { measurement: 'driver', from: NOW - 3 * DAY_MS, until: NOW, limit: 10 };
  const read = async (field: string, aggregate: Aggregate) =>
    (await database.reader.query(ETL, { ...query, field, aggregate, stepMs: HOUR_MS }))[0]?.points;
  assert.deepEqual(await read('jobs', 'max'), [[HOUR, 1.7e308]]);
  assert.deepEqual(await read('jobs', 'count'), [[HOUR, 2]]);
  assert.deepEqual(await read('jobs', 'sum'), []);
  assert.deepEqual(await read('rows', 'sum'), [[HOUR, 3]]);
});
