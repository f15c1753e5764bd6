import { readFileSync } from 'node:fs';
import type { Series, SeriesRef } from '../../shared/contracts/metric-point.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import { InfluxLongTerm } from '../../shared/stores/influx/run-long-term.ts';
import { openSqliteLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../shared/values/instant.ts';
import { type InfluxAddress, InfluxDatabase } from './influx-database.ts';

export interface MonthShape {
  readonly days: number;
  /** New every day, spread over `hoursPerDay` hours. */
  readonly applications: number;
  readonly executors: number;
  /** Of each executor; one point each. */
  readonly metrics: number;
  readonly projects: number;
  readonly hoursPerDay: number;
  /** Makes long-term aggregates after each day. */
  readonly aggregate: boolean;
}

export interface MonthResult {
  readonly points: number;
  /** The most raw series there were, counted by the server after each day. */
  readonly rawSeries: number;
  readonly longSeries: number;
  /** The most memory that influxd had, in bytes. */
  readonly serverBytes: number;
}

const EXECUTOR_SOURCES = ['executor', 'jvm', 'ExecutorMetrics', 'NettyBlockTransfer'];
/** Every tenth application is a streaming one; its query keeps its id over application ids. */
const QUERIES = 200;

function seriesOf(shape: MonthShape, day: number, app: number): Series[] {
  const project = `p${app % shape.projects}`;
  const tags = { project, cluster: `c${app % 3}`, application: `app-${day}-${app}` };
  const found: Series[] = [];
  for (let executor = 0; executor < shape.executors; executor += 1) {
    for (let metric = 0; metric < shape.metrics; metric += 1) {
      const measurement = EXECUTOR_SOURCES[metric % EXECUTOR_SOURCES.length] ?? '';
      const field = `metric${metric}.count`;
      found.push({ measurement, field, tags: { ...tags, executor: `${executor}` } });
    }
  }
  if (app % 10 === 0) {
    const query = { query: `q${app % QUERIES}`, run: `r-${day}-${app}`, name: '' };
    for (const field of ['rows', 'lag', 'latency']) {
      found.push({ measurement: 'streaming_query', field, tags: { ...tags, ...query } });
    }
  }
  return found;
}

/**
 * Simulates days of many short applications, with what InfluxDB's retention does at its own clock
 * done by this one: a raw shard goes when its end is older than the retention.
 */
export async function simulateMonth(
  server: InfluxAddress,
  pid: number | undefined,
  shape: MonthShape,
  print: (line: string) => void,
): Promise<MonthResult> {
  const start = Math.floor(systemClock.now() / DAY_MS) * DAY_MS - shape.days * DAY_MS;
  const clock = { ...systemClock, time: start, now: (): Instant => clock.time };
  const config = await InfluxDatabase.config(server, {
    rawRetentionMs: 48 * HOUR_MS,
    measurements: undefined,
  });
  await using database = await InfluxDatabase.open(config, clock as Clock);
  await database.ask(`ALTER RETENTION POLICY "raw" ON "${config.database}" DURATION INF`, 'POST');
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock: systemClock });
  await using longTerm = new InfluxLongTerm({
    config,
    leases,
    holder: 'h',
    clock,
    random: Math.random,
    logger: silentLogger,
  });
  const signal = new AbortController().signal;
  const most = { points: 0, rawSeries: 0, longSeries: 0, serverBytes: 0 };
  for (let day = 0; day < shape.days; day += 1) {
    const from = start + day * DAY_MS;
    for (let hour = 0; hour < shape.hoursPerDay; hour += 1) {
      const at = from + Math.floor((hour * 24) / shape.hoursPerDay) * HOUR_MS;
      clock.time = at + 30 * MINUTE_MS;
      most.points += await writeHour(database, shape, { day, hour, at: clock.time });
    }
    most.serverBytes = Math.max(most.serverBytes, memoryOf(pid));
    clock.time = from + DAY_MS + HOUR_MS;
    if (shape.aggregate) await longTerm.round(signal);
    await dropOldShards(database, clock.time - config.rawRetentionMs);
    most.rawSeries = Math.max(most.rawSeries, await countSeries(database, 'raw'));
    most.longSeries = Math.max(most.longSeries, await countSeries(database, 'long'));
    most.serverBytes = Math.max(most.serverBytes, memoryOf(pid));
    print(`day ${day + 1}: ${JSON.stringify(most)} ${JSON.stringify([...database.fates])}`);
  }
  return most;
}

async function writeHour(
  database: InfluxDatabase,
  shape: MonthShape,
  { day, hour, at }: { day: number; hour: number; at: Instant },
): Promise<number> {
  const each = Math.ceil(shape.applications / shape.hoursPerDay);
  const last = Math.min(shape.applications, (hour + 1) * each);
  let refs: SeriesRef[] = [];
  let points = 0;
  for (let app = hour * each; app < last; app += 1) {
    for (const series of seriesOf(shape, day, app)) refs.push(database.writer.declare(series));
    if (refs.length < 100_000 && app < last - 1) continue;
    const { length } = refs;
    const block = {
      series: Uint32Array.from(refs),
      at: new Float64Array(length).fill(at),
      value: Float64Array.from(refs, (_, i) => i),
      length,
    };
    await database.writer.write(block, []);
    database.writer.release(refs);
    points += length;
    refs = [];
  }
  return points;
}

async function dropOldShards(database: InfluxDatabase, before: Instant): Promise<void> {
  const { database: name } = database.config;
  for (const [id, db, policy, , , end] of await database.ask('SHOW SHARDS')) {
    if (db !== name || policy !== 'raw' || Date.parse(String(end)) > before) continue;
    await database.ask(`DROP SHARD ${id}`, 'POST');
  }
}

async function countSeries(database: InfluxDatabase, policy: string): Promise<number> {
  const { database: name } = database.config;
  const rows = await database.ask(
    `SHOW SERIES EXACT CARDINALITY ON "${name}" FROM "${policy}"./.*/`,
  );
  return rows.reduce((sum, [count]) => sum + Number(count), 0);
}

function memoryOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
}
