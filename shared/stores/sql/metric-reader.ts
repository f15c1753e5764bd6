import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/app-error.ts';
import { HOUR_MS, type Instant, MINUTE_MS, utcHour } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { MetricQuery, MetricReader, SeriesPoints } from '../metric-store.ts';
import { MetricBuckets } from './metric-buckets.ts';
import { decodeColumns } from './metric-columns.ts';
import { type Minutes, minutesOfColumns } from './metric-minutes.ts';
import { type NewestPoint, newestPoints } from './metric-newest-points.ts';
import { orderByTime } from './metric-point-order.ts';
import { type PointRuns, readRawPoints } from './metric-raw-points.ts';
import { type MetricDay, MetricReadFiles } from './metric-read-files.ts';
import { sqliteError } from './sqlite-error.ts';

/** Most points that one query reads; more is an error that says so. */
const MAX_POINTS = 5_000_000;

type Tags = Readonly<Record<string, string>>;
type LatestRow = { tags: Tags; at: Instant; fields: Record<string, number> };

/** What was found of one series, over all files, in the order of writing. */
interface Found {
  readonly runs: PointRuns;
  readonly minutes: Minutes[];
}

interface Span {
  readonly from: Instant;
  readonly until: Instant;
}

function matches(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(tags, name) && tags[name] === value,
  );
}

/** Ids and tags of the series a query asks for, in one file. */
function seriesOf(db: DatabaseSync, project: ProjectId, query: MetricQuery): Map<number, string> {
  const rows = db
    .prepare('SELECT id, tags FROM series WHERE project = ? AND measurement = ? AND field = ?')
    .all(project, query.measurement, query.field);
  const found = new Map<number, string>();
  for (const { id, tags } of rows) {
    const text = String(tags);
    if (query.tags === undefined || matches(JSON.parse(text) as Tags, query.tags)) {
      found.set(Number(id), text);
    }
  }
  return found;
}

function touches(db: DatabaseSync, { from, until }: Span): boolean {
  const row = db.prepare('SELECT 1 FROM span WHERE max_at >= ? AND min_at < ?').get(from, until);
  return row !== undefined;
}

/** Hours of this file whose minutes stand for all its points of that hour. */
function sealedHours(db: DatabaseSync, { from, until }: Span): Instant[] {
  // A late point in the tail makes the minutes of its hour incomplete.
  return db
    .prepare(`SELECT hour FROM hour WHERE sealed = 1 AND hour >= ? AND hour + ${HOUR_MS} <= ?
      AND NOT EXISTS (SELECT 1 FROM batch WHERE max_at >= hour AND min_at < hour + ${HOUR_MS})`)
    .all(from, until)
    .map(({ hour }) => Number(hour));
}

/** What is left of a span when whole hours are taken out. */
function withoutHours({ from, until }: Span, hours: ReadonlySet<Instant>): Span[] {
  const left: Span[] = [];
  let start = from;
  for (const hour of [...hours].sort((a, b) => a - b)) {
    if (hour > start) left.push({ from: start, until: hour });
    start = hour + HOUR_MS;
  }
  if (start < until) left.push({ from: start, until });
  return left;
}

function readMinutes(db: DatabaseSync, id: number, { from, until }: Span): [Instant, Minutes][] {
  return db
    .prepare(
      'SELECT hour, data FROM minutes WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour',
    )
    .all(id, utcHour(from), until)
    .map(({ hour, data }) => [Number(hour), minutesOfColumns(decodeColumns(data as Uint8Array))]);
}

/** Reads in one snapshot, so that points don't move from the tail to a chunk meanwhile. */
function inSnapshot<T>(db: DatabaseSync, read: () => T): T {
  try {
    db.exec('BEGIN');
    return read();
  } catch (error) {
    throw sqliteError(error);
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function joinRuns(runs: PointRuns): { at: Float64Array; value: Float64Array } {
  const length = runs.reduce((sum, { at }) => sum + at.length, 0);
  const at = new Float64Array(length);
  const value = new Float64Array(length);
  let offset = 0;
  for (const run of runs) {
    at.set(run.at, offset);
    value.set(run.value, offset);
    offset += run.at.length;
  }
  const end = orderByTime(at, value, 0, length);
  return { at: at.subarray(0, end), value: value.subarray(0, end) };
}

function pointsOf(found: Found, query: MetricQuery): SeriesPoints['points'] {
  const { at, value } = joinRuns(found.runs);
  if (query.stepMs === 0 && found.minutes.length === 0) {
    return Array.from(at, (instant, i) => [instant, value[i] ?? 0] as const);
  }
  const buckets = new MetricBuckets(query.stepMs === 0 ? 1 : query.stepMs);
  for (const minutes of found.minutes) buckets.addMinutes(minutes, query.from, query.until);
  buckets.addPoints(at, value);
  return buckets.read(query.aggregate);
}

/**
 * MetricReader on the SQLite files of a folder. Where raw points are gone, and for steps of whole
 * minutes, it reads one-minute aggregates.
 */
export class SqliteMetricReader implements MetricReader {
  readonly #files: MetricReadFiles;

  constructor(folder: string) {
    this.#files = new MetricReadFiles(folder);
  }

  async query(project: ProjectId, query: MetricQuery): Promise<SeriesPoints[]> {
    const found = new Map<string, Found>();
    const days = this.#files.days();
    const shared = hoursInSeveral(days, query);
    let points = 0;
    const add = (tags: string): Found => {
      let series = found.get(tags);
      if (series === undefined) {
        series = { runs: [], minutes: [] };
        found.set(tags, series);
        if (found.size > query.limit) {
          throw new AppError(
            'BAD_REQUEST',
            `more than ${query.limit} series match ${query.measurement}.${query.field}; ask for ` +
              'more tags, a shorter time or a higher limit',
          );
        }
      }
      return series;
    };
    const count = (more: number): void => {
      points += more;
      if (points > MAX_POINTS) {
        throw new AppError(
          'BAD_REQUEST',
          `the query reads more than ${MAX_POINTS} points; ask for a shorter time, fewer series ` +
            'or a step of whole minutes',
        );
      }
    };
    for (const day of days) readDay(day, { project, query, shared, add, count });
    return [...found].map(([tags, series]) => ({
      tags: JSON.parse(tags) as Tags,
      points: pointsOf(series, query),
    }));
  }

  async latest(project: ProjectId, measurement: string, from: Instant): Promise<LatestRow[]> {
    const rows = new Map<string, LatestRow & { times: Map<string, Instant> }>();
    for (const day of this.#files.days()) {
      for (const { field, tags, point } of latestOfDay(day, project, measurement, from)) {
        let row = rows.get(tags);
        if (row === undefined) {
          const fields = Object.create(null) as Record<string, number>;
          row = { tags: JSON.parse(tags) as Tags, at: point.at, fields, times: new Map() };
          rows.set(tags, row);
        }
        if (point.at < (row.times.get(field) ?? from)) continue;
        row.times.set(field, point.at);
        row.fields[field] = point.value;
        row.at = Math.max(row.at, point.at);
      }
    }
    return [...rows.values()].map(({ tags, at, fields }) => ({ tags, at, fields: { ...fields } }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#files[Symbol.dispose]();
    return Promise.resolve();
  }
}

interface DayRead {
  readonly project: ProjectId;
  readonly query: MetricQuery;
  /** Hours that more than one raw file has points of. */
  readonly shared: ReadonlySet<Instant>;
  readonly add: (tags: string) => Found;
  readonly count: (points: number) => void;
}

/**
 * Points sent again on another day lie in two files: only raw points tell that they are the same.
 */
function hoursInSeveral(days: readonly MetricDay[], { from, until }: Span): Set<Instant> {
  const once = new Set<Instant>();
  const several = new Set<Instant>();
  for (const { raw } of days) {
    if (raw === undefined || !touches(raw, { from, until })) continue;
    const hours = raw
      .prepare('SELECT hour FROM hour WHERE hour >= ? AND hour < ?')
      .all(utcHour(from), until)
      .map(({ hour }) => Number(hour));
    const tail = raw.prepare('SELECT min(min_at) AS low, max(max_at) AS high FROM batch').get();
    const low = Math.max(from, Number(tail?.['low'] ?? until));
    const high = Math.min(until - 1, Number(tail?.['high'] ?? from));
    for (let hour = utcHour(low); hour <= high; hour += HOUR_MS) hours.push(hour);
    for (const hour of new Set(hours)) {
      if (once.has(hour)) several.add(hour);
      once.add(hour);
    }
  }
  return several;
}

function readDay({ raw, minutes }: MetricDay, read: DayRead): void {
  if (raw !== undefined) inSnapshot(raw, () => readRawDay(raw, minutes, read));
  else if (
    minutes !== undefined &&
    touches(minutes, { ...read.query, from: read.query.from - MINUTE_MS })
  ) {
    for (const [id, tags] of seriesOf(minutes, read.project, read.query)) {
      for (const [, part] of readMinutes(minutes, id, read.query)) addMinutes(part, tags, read);
    }
  }
}

function addMinutes(part: Minutes, tags: string, { query, add, count }: DayRead): void {
  if (!part.minute.some((at) => at >= query.from && at < query.until)) return;
  count(part.minute.length);
  add(tags).minutes.push(part);
}

function readRawDay(raw: DatabaseSync, minutes: DatabaseSync | undefined, read: DayRead): void {
  const { query } = read;
  if (!touches(raw, query)) return;
  const series = seriesOf(raw, read.project, query);
  const whole = query.stepMs > 0 && query.stepMs % MINUTE_MS === 0 && minutes !== undefined;
  const sealed = new Set(
    whole ? sealedHours(raw, query).filter((hour) => !read.shared.has(hour)) : [],
  );
  if (minutes !== undefined && sealed.size > 0) {
    for (const [id, tags] of series) {
      for (const [hour, part] of readMinutes(minutes, id, query)) {
        if (sealed.has(hour)) addMinutes(part, tags, read);
      }
    }
  }
  for (const span of withoutHours(query, sealed)) {
    for (const [id, runs] of readRawPoints(raw, [...series.keys()], span)) {
      read.count(runs.reduce((sum, { at }) => sum + at.length, 0));
      read.add(series.get(id) ?? '{}').runs.push(...runs);
    }
  }
}

function* latestOfDay(
  { raw, minutes }: MetricDay,
  project: ProjectId,
  measurement: string,
  from: Instant,
): Generator<{ field: string; tags: string; point: NewestPoint }> {
  const db = raw ?? minutes;
  if (db === undefined || !touches(db, { from, until: Number.MAX_SAFE_INTEGER })) return;
  const series = db
    .prepare('SELECT id, field, tags FROM series WHERE project = ? AND measurement = ?')
    .all(project, measurement);
  const ids = series.map(({ id }) => Number(id));
  const newest =
    raw === undefined
      ? newestMinutes(db, ids, from)
      : inSnapshot(raw, () => newestPoints(raw, ids, from));
  for (const { id, field, tags } of series) {
    const point = newest.get(Number(id));
    if (point !== undefined) yield { field: String(field), tags: String(tags), point };
  }
}

function newestMinutes(
  db: DatabaseSync,
  ids: readonly number[],
  from: Instant,
): Map<number, NewestPoint> {
  const newest = new Map<number, NewestPoint>();
  const statement = db.prepare(
    'SELECT data FROM minutes WHERE series = ? AND hour >= ? ORDER BY hour DESC LIMIT 1',
  );
  for (const id of ids) {
    const row = statement.get(id, utcHour(from));
    if (row === undefined) continue;
    const { minute, last } = minutesOfColumns(decodeColumns(row['data'] as Uint8Array));
    const end = minute.length - 1;
    const at = minute[end] ?? 0;
    if (end >= 0 && at >= from) newest.set(id, { at, value: last[end] ?? 0 });
  }
  return newest;
}

/** Opens the metric files of a folder for reading, beside their writer or without one. */
export function openMetricReader(options: {
  readonly folder: string;
}): Promise<SqliteMetricReader> {
  return Promise.resolve(new SqliteMetricReader(options.folder));
}
