import { HOUR_MS, type Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { MetricQuery, SeriesPoints } from '../metric-store.ts';
import { MetricBuckets } from '../sql/metric-buckets.ts';
import type { InfluxConfig } from './config.ts';
import type { InfluxConnection } from './influx-connection.ts';
import { encodeName, quoteName } from './influx-name.ts';
import { LONG_POLICY, RAW_POLICY } from './influx-target.ts';
import { timeCondition } from './influx-time.ts';
import { keptTags, LONG_PARTS, type LongPart, longField } from './long-term.ts';
import type { MetricPlace } from './metric-schema.ts';
import type { AnswerPart, Tags } from './query-answer.ts';
import { ReadLimits } from './series-collector.ts';
import { tagCondition } from './tag-condition.ts';
import { WINDOW_MEASUREMENT } from './window-marks.ts';

interface LongQuery {
  readonly query: MetricQuery;
  readonly place: MetricPlace;
  readonly signal: AbortSignal;
}

/** How the parts of a step are made from stored parts. */
const JOIN: Readonly<Record<LongPart, string>> = {
  min: 'min',
  max: 'max',
  sum: 'sum',
  count: 'sum',
  last: 'last',
};

/** Reads long-term aggregates, and after the last aggregated hour raw points in the same shape. */
export class LongTermReader {
  readonly #config: InfluxConfig;
  readonly #connection: InfluxConnection;

  constructor(config: InfluxConfig, connection: InfluxConnection) {
    this.#config = config;
    this.#connection = connection;
  }

  async query(project: ProjectId, asked: LongQuery): Promise<SeriesPoints[]> {
    const { query, signal } = asked;
    const done = await this.#aggregatedUntil(project, signal);
    const edge = Math.max(query.from, Math.min(query.until, done ?? query.from));
    const found = new Map<string, { tags: Tags; buckets: MetricBuckets }>();
    const limits = new ReadLimits(query);
    const add = ({ tags, columns, rows }: AnswerPart): void => {
      const key = JSON.stringify(tags);
      let series = found.get(key);
      if (series === undefined) {
        limits.series(found.size + 1);
        series = { tags, buckets: new MetricBuckets(query.stepMs) };
        found.set(key, series);
      }
      limits.points(rows.length);
      addRows(series.buckets, columns, rows);
    };
    for (const statement of this.#statements(project, asked, edge)) {
      for await (const part of this.#connection.query(statement, signal)) add(part);
    }
    return [...found.values()].map(({ tags, buckets }) => ({
      tags,
      points: buckets.read(query.aggregate).filter(([, value]) => !Number.isNaN(value)),
    }));
  }

  /** First the aggregated hours, then the raw rest. */
  #statements(project: ProjectId, { query, place }: LongQuery, edge: Instant): string[] {
    const condition = tagCondition(project, query.tags);
    const step = `time(${Math.round(query.stepMs)}ms)`;
    const name = (field: string): string => `${quoteName(encodeName(field))}::field`;
    const home = encodeName(place.measurement);
    const statements: string[] = [];
    if (edge > query.from) {
      const parts = LONG_PARTS.map(
        (part) => `${JOIN[part]}(${name(longField(place.field, part))}) AS ${quoteName(part)}`,
      );
      statements.push(
        `SELECT ${parts.join(', ')} FROM ${this.#connection.from(LONG_POLICY, home)} WHERE ` +
          `${condition} AND ${timeCondition(query.from, edge)} GROUP BY ${step}, * fill(none)`,
      );
    }
    if (edge < query.until) {
      const parts = LONG_PARTS.map((part) => `${part}(${name(place.field)}) AS ${quoteName(part)}`);
      const tags = keptTags(this.#config).map((tag) => quoteName(encodeName(tag)));
      statements.push(
        `SELECT ${parts.join(', ')} FROM ${this.#connection.from(RAW_POLICY, home)} WHERE ` +
          `${condition} AND ${timeCondition(edge, query.until)} ` +
          `GROUP BY ${step}, ${tags.join(', ')} fill(none)`,
      );
    }
    return statements;
  }

  async #aggregatedUntil(project: ProjectId, signal: AbortSignal): Promise<Instant | undefined> {
    const from = this.#connection.from(LONG_POLICY, WINDOW_MEASUREMENT);
    const statement = `SELECT last("computed_at") FROM ${from} WHERE ${tagCondition(project)}`;
    for await (const { rows } of this.#connection.query(statement, signal)) {
      const at = rows[0]?.[0];
      if (typeof at === 'number') return at + HOUR_MS;
    }
    return undefined;
  }
}

function addRows(
  buckets: MetricBuckets,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): void {
  // A sum that is missing makes the bucket's sum and mean unknown.
  const column = (name: string): Float64Array => {
    const at = columns.indexOf(name);
    return Float64Array.from(rows, (row) => (typeof row[at] === 'number' ? row[at] : Number.NaN));
  };
  const minute = column('time');
  const all = Object.fromEntries(LONG_PARTS.map((part) => [part, column(part)] as const));
  const { min = minute, max = minute, sum = minute, count = minute, last = minute } = all;
  buckets.addMinutes({ minute, min, max, sum, count, last }, -Infinity, Infinity);
}
