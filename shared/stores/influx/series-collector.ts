import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import type { MetricQuery, SeriesPoints } from '../metric-store.ts';
import type { AnswerPart, Tags } from './query-answer.ts';

/** Most points that one query reads; more is an error that says so. */
const MAX_POINTS = 5_000_000;

/** Counts what a query reads, and ends it when that is too much. */
export class ReadLimits {
  readonly #query: MetricQuery;
  #points = 0;

  constructor(query: MetricQuery) {
    this.#query = query;
  }

  series(count: number): void {
    const { limit, measurement, field } = this.#query;
    if (count <= limit) return;
    throw new AppError(
      'BAD_REQUEST',
      `more than ${limit} series match ${measurement}.${field}; ask for more tags, a shorter ` +
        'time or a higher limit',
    );
  }

  points(more: number): void {
    this.#points += more;
    if (this.#points <= MAX_POINTS) return;
    throw new AppError(
      'BAD_REQUEST',
      `the query reads more than ${MAX_POINTS} points; ask for a shorter time, fewer series or a ` +
        'longer step',
    );
  }
}

/** Puts the parts of an answer together: `[time, value]` rows by series. */
export class SeriesCollector {
  readonly #limits: ReadLimits;
  readonly #found = new Map<string, { tags: Tags; points: [Instant, number][] }>();

  constructor(query: MetricQuery) {
    this.#limits = new ReadLimits(query);
  }

  add({ tags, rows }: AnswerPart): void {
    const key = JSON.stringify(tags);
    let series = this.#found.get(key);
    if (series === undefined) {
      this.#limits.series(this.#found.size + 1);
      series = { tags, points: [] };
      this.#found.set(key, series);
    }
    this.#limits.points(rows.length);
    for (const [at, value] of rows) {
      if (typeof at === 'number' && typeof value === 'number') series.points.push([at, value]);
    }
  }

  series(): SeriesPoints[] {
    return [...this.#found.values()];
  }
}
