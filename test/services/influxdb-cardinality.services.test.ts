import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateMonth } from '../support/metric-month.ts';
import { startInfluxdb } from './servers/influxdb.ts';

/** A day of the platform that the limits are stated for: 10,000 × 20 × 80. */
const APPLICATIONS = 10_000;
const RAW_LIMIT = 1_500_000;
const LONG_LIMIT = 50_000;

/**
 * By default a thousandth of the applications for 30 days. TOLLGATE_CARDINALITY=80 writes whole days
 * with so many metrics of each executor, of which three fill the raw retention; long-term aggregates
 * are left out then.
 */
const FULL = Number(process.env['TOLLGATE_CARDINALITY'] ?? 0);
const SCALE = FULL > 0 ? 1 : 1_000;

test('a month of short applications stays below the limits of series', async (t) => {
  await using server = await startInfluxdb({ version: '1.8.10' });
  const shape = {
    days: FULL > 0 ? 3 : 30,
    applications: APPLICATIONS / SCALE,
    executors: 20,
    metrics: FULL || 80,
    projects: FULL > 0 ? 20 : 2,
    hoursPerDay: FULL > 0 ? 4 : 1,
    aggregate: FULL === 0,
  };
  const print = FULL > 0 ? (line: string) => console.log(line) : () => undefined;
  const found = await simulateMonth(server, server.process?.pid, shape, print);
  const expected = shape.days * shape.applications * (20 * shape.metrics + 0.1 * 3);
  assert.equal(found.points, expected);
  t.diagnostic(
    `${shape.days} days of ${shape.applications} applications: ${found.rawSeries} raw and ` +
      `${found.longSeries} long-term series at most, influxd ${Math.round(found.serverBytes / 1e6)} MB`,
  );
  // An executor is one series, whatever it measures, for 48 hours and the rest of a shard of 6.
  const executors = shape.applications * 20.1;
  assert.ok(found.rawSeries >= executors && found.rawSeries <= 3 * executors + 2);
  const raw = found.rawSeries * SCALE;
  t.diagnostic(`raw at ${APPLICATIONS} applications a day: ${found.rawSeries} × ${SCALE} = ${raw}`);
  assert.ok(raw < RAW_LIMIT);
  // They don't grow with applications, but with projects, clusters and queries.
  if (shape.aggregate) assert.ok(found.longSeries > 0 && found.longSeries < LONG_LIMIT / 100);
});
