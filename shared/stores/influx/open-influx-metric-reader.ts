import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { MetricQuery, MetricReader, SeriesPoints } from '../metric-store.ts';
import { MetricBuckets } from '../sql/metric-buckets.ts';
import type { InfluxConfig } from './config.ts';
import { fieldsOf } from './field-keys.ts';
import { InfluxConnection } from './influx-connection.ts';
import { encodeName, quoteName } from './influx-name.ts';
import { RAW_POLICY } from './influx-target.ts';
import { timeCondition } from './influx-time.ts';
import { readsLongTerm } from './long-term.ts';
import { LongTermReader } from './long-term-reader.ts';
import { MetricSchema } from './metric-schema.ts';
import { type AnswerPart, type Tags, TOO_LARGE_A_SUM } from './query-answer.ts';
import { SeriesCollector } from './series-collector.ts';
import { tagCondition } from './tag-condition.ts';

/** Statements of one request: each field of `latest` is one. */
const STATEMENTS = 50;

type LatestRow = { tags: Tags; at: Instant; fields: Record<string, number> };

/** MetricReader on InfluxDB, by InfluxQL. */
class InfluxMetricReader implements MetricReader {
  readonly #config: InfluxConfig;
  readonly #clock: Clock;
  readonly #connection: InfluxConnection;
  readonly #schema: MetricSchema;
  readonly #longTerm: LongTermReader;
  readonly #closing = new AbortController();

  constructor(config: InfluxConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#connection = new InfluxConnection(config, clock);
    this.#schema = new MetricSchema(config.measurements);
    this.#longTerm = new LongTermReader(config, this.#connection);
  }

  async query(project: ProjectId, query: MetricQuery): Promise<SeriesPoints[]> {
    const place = this.#schema.place(query.measurement, query.field);
    if (place === undefined || query.from >= query.until) return [];
    const signal = this.#closing.signal;
    if (readsLongTerm(query, this.#clock.now(), this.#config)) {
      return this.#longTerm.query(project, { query, place, signal });
    }
    const from = this.#connection.from(RAW_POLICY, encodeName(place.measurement));
    const field = `${quoteName(encodeName(place.field))}::field`;
    const where = `${tagCondition(project, query.tags)} AND ${timeCondition(query.from, query.until)}`;
    const raw = `SELECT ${field} FROM ${from} WHERE ${where} GROUP BY *`;
    if (query.stepMs === 0) return this.#collect(raw, query);
    const step = Math.max(1, Math.round(query.stepMs));
    const stepped =
      `SELECT ${query.aggregate}(${field}) FROM ${from} WHERE ${where} ` +
      `GROUP BY time(${step}ms), * fill(none)`;
    try {
      return await this.#collect(stepped, query);
    } catch (error) {
      if (!(error instanceof AppError) || error.message !== TOO_LARGE_A_SUM) throw error;
      return aggregateHere(await this.#collect(raw, query), { ...query, stepMs: step });
    }
  }

  async latest(project: ProjectId, measurement: string, from: Instant): Promise<LatestRow[]> {
    const home = this.#schema.home(measurement);
    if (home === undefined) return [];
    const signal = this.#closing.signal;
    const fields = (await fieldsOf(this.#connection, home, signal)).flatMap((stored) => {
      const field = this.#schema.fieldOf(measurement, stored);
      return field === undefined ? [] : [{ field, stored }];
    });
    const where = `${tagCondition(project)} AND ${timeCondition(from, Number.MAX_SAFE_INTEGER)}`;
    const source = this.#connection.from(RAW_POLICY, encodeName(home));
    const rows = new Map<string, LatestRow>();
    for (let i = 0; i < fields.length; i += STATEMENTS) {
      const part = fields.slice(i, i + STATEMENTS);
      const statements = part.map(
        ({ stored }) =>
          `SELECT last(${quoteName(encodeName(stored))}::field) FROM ${source} ` +
          `WHERE ${where} GROUP BY *`,
      );
      for await (const answer of this.#connection.query(statements.join('; '), signal)) {
        const field = part[answer.statement]?.field;
        if (field !== undefined) addLatest(rows, field, answer);
      }
    }
    return [...rows.values()].map(({ tags, at, fields }) => ({ tags, at, fields: { ...fields } }));
  }

  async #collect(statement: string, query: MetricQuery): Promise<SeriesPoints[]> {
    const found = new SeriesCollector(query);
    for await (const part of this.#connection.query(statement, this.#closing.signal)) {
      found.add(part);
    }
    return found.series();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#connection[Symbol.dispose]();
    return Promise.resolve();
  }
}

function addLatest(rows: Map<string, LatestRow>, field: string, answer: AnswerPart): void {
  const [at, value] = answer.rows[0] ?? [];
  if (typeof at !== 'number' || typeof value !== 'number') return;
  const key = JSON.stringify(answer.tags);
  let row = rows.get(key);
  if (row === undefined) {
    row = { tags: answer.tags, at, fields: Object.create(null) as Record<string, number> };
    rows.set(key, row);
  }
  row.fields[field] = value;
  row.at = Math.max(row.at, at);
}

/** Aggregates raw points, for sums that the server can't print. */
function aggregateHere(series: readonly SeriesPoints[], query: MetricQuery): SeriesPoints[] {
  return series.map(({ tags, points }) => {
    const buckets = new MetricBuckets(query.stepMs);
    buckets.addPoints(
      Float64Array.from(points, ([at]) => at),
      Float64Array.from(points, ([, value]) => value),
    );
    return { tags, points: buckets.read(query.aggregate) };
  });
}

/** Opens metrics in InfluxDB for reading. Nothing is asked of the server yet. */
export function openInfluxMetricReader(options: {
  readonly config: InfluxConfig;
  readonly clock: Clock;
}): Promise<MetricReader> {
  return Promise.resolve(new InfluxMetricReader(options.config, options.clock));
}
