import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LeaseStore } from '../lease.ts';
import type { InfluxConfig } from './config.ts';
import { fieldsOf } from './field-keys.ts';
import { InfluxConnection } from './influx-connection.ts';
import { encodeName, encodeValue, lineKey, quoteName } from './influx-name.ts';
import { LONG_POLICY, RAW_POLICY } from './influx-target.ts';
import { timeCondition } from './influx-time.ts';
import { LineSender } from './line-sender.ts';
import { LongSeriesBudget } from './long-series-budget.ts';
import { dueHours, type HourState, keptTags, longLineKey, longLines } from './long-term.ts';
import { MetricSchema } from './metric-schema.ts';
import { type Tags, TOO_LARGE_A_SUM } from './query-answer.ts';
import { tagCondition } from './tag-condition.ts';
import { WINDOW_MEASUREMENT } from './window-marks.ts';

export interface LongTermOptions {
  readonly config: InfluxConfig;
  readonly leases: LeaseStore;
  /** Unique to this process's life. */
  readonly holder: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** What one round did. */
export interface LongTermRound {
  /** Hours of projects that were aggregated. */
  readonly hours: number;
  /** Rows written: steps of a series and field. */
  readonly rows: number;
  /** Rows that were dropped as `long-series-limit`. */
  readonly dropped: number;
}

const TTL_MS = 10 * MINUTE_MS;
const ROUND_MS = MINUTE_MS;
/** Fields of one request. */
const FIELDS = 20;

interface Counts {
  rows: number;
  dropped: number;
}

/** Series of an hour of a project, of all measurements. */
interface HourSeries {
  count: number;
  readonly most: number;
}

/**
 * Makes long-term aggregates from raw points, an hour of a project at a time and always whole, so
 * that doing it again, or twice at once, gives the same. A lease keeps others from the same work.
 */
export class InfluxLongTerm implements AsyncDisposable {
  readonly #options: LongTermOptions;
  readonly #connection: InfluxConnection;
  readonly #sender: LineSender;
  readonly #schema: MetricSchema;
  readonly #closing = new AbortController();
  #budget: LongSeriesBudget | undefined;

  constructor(options: LongTermOptions) {
    const { config, clock, random, logger } = options;
    this.#options = options;
    this.#connection = new InfluxConnection(config, clock);
    this.#schema = new MetricSchema(config.measurements);
    this.#sender = new LineSender(
      { connection: this.#connection, clock, random, logger, retryMs: config.retryMs },
      this.#closing.signal,
    );
  }

  /** Rounds until the signal aborts; what fails is tried again in the next. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.round(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'long-term metrics wait for the store');
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /** Aggregates every hour that is due and that nobody else has taken. */
  async round(signal: AbortSignal): Promise<LongTermRound> {
    const { clock, config, leases, holder } = this.#options;
    const counts = { rows: 0, dropped: 0 };
    let hours = 0;
    this.#budget ??= await this.#readBudget(signal);
    for (const [project, states] of await this.#states(signal)) {
      for (const hour of dueHours(states, clock.now(), config)) {
        if (signal.aborted) return { hours, ...counts };
        const name = `rollup/${project}`;
        const lease = await leases.acquire(name, holder, TTL_MS);
        if (lease === undefined) continue;
        try {
          const until = clock.elapsed() + TTL_MS;
          const series = { count: 0, most: this.#budget.of(project) };
          await this.#aggregate(project, hour, { counts, signal, until, series });
          this.#budget.learn(project, series.count);
          hours += 1;
        } finally {
          await leases.release(lease);
        }
      }
    }
    return { hours, ...counts };
  }

  /** What projects have had, as marks tell; once, since it only grows by what is done here. */
  async #readBudget(signal: AbortSignal): Promise<LongSeriesBudget> {
    const { clock, config } = this.#options;
    const budget = new LongSeriesBudget(config.maxLongSeriesInAll);
    const since = timeCondition(clock.now() - config.longRetentionMs, clock.now());
    const ask =
      `SELECT max("series") FROM ${this.#connection.from(LONG_POLICY, WINDOW_MEASUREMENT)} ` +
      `WHERE ${since} GROUP BY "project"`;
    for await (const { tags, rows } of this.#connection.query(ask, signal)) {
      for (const [, series] of rows) {
        if (typeof series === 'number') budget.learn(tags['project'] ?? '', series);
      }
    }
    return budget;
  }

  async #states(signal: AbortSignal): Promise<Map<ProjectId, HourState[]>> {
    const { clock, config } = this.#options;
    const since = timeCondition(clock.now() - config.rawRetentionMs - HOUR_MS, clock.now());
    const mark = (policy: typeof RAW_POLICY | typeof LONG_POLICY, field: string): string =>
      `SELECT ${quoteName(field)} FROM ${this.#connection.from(policy, WINDOW_MEASUREMENT)} ` +
      `WHERE ${since} GROUP BY "project"`;
    const computed = new Map<string, number>();
    const states = new Map<ProjectId, HourState[]>();
    const ask = `${mark(LONG_POLICY, 'computed_at')}; ${mark(RAW_POLICY, 'written_at')}`;
    for await (const { statement, tags, rows } of this.#connection.query(ask, signal)) {
      const project = (tags['project'] ?? '') as ProjectId;
      for (const [hour, at] of rows) {
        if (typeof hour !== 'number' || typeof at !== 'number') continue;
        if (statement === 0) computed.set(`${hour} ${project}`, at);
        else {
          const known = states.get(project) ?? [];
          known.push({ hour, writtenAt: at, computedAt: computed.get(`${hour} ${project}`) });
          states.set(project, known);
        }
      }
    }
    return states;
  }

  async #aggregate(
    project: ProjectId,
    hour: Instant,
    work: { counts: Counts; signal: AbortSignal; until: number; series: HourSeries },
  ): Promise<void> {
    const { clock } = this.#options;
    const computedAt = clock.now();
    for (const home of this.#schema.homes) {
      const fields = await fieldsOf(this.#connection, home, work.signal);
      const known = new Set<string>();
      for (let i = 0; i < fields.length; i += FIELDS) {
        const part = { home, fields: fields.slice(i, i + FIELDS), withSum: true };
        await this.#aggregateFields(project, hour, { ...work, ...part, known });
      }
    }
    // Last, so that an hour without this line is done from its beginning.
    const tag = lineKey(encodeValue(project));
    await this.#send(
      `${WINDOW_MEASUREMENT},project=${tag} computed_at=${computedAt},series=${work.series.count} ${hour}\n`,
    );
  }

  async #aggregateFields(
    project: ProjectId,
    hour: Instant,
    part: {
      readonly home: string;
      readonly fields: readonly string[];
      readonly withSum: boolean;
      readonly counts: Counts;
      readonly signal: AbortSignal;
      readonly until: number;
      /** Series of this hour and measurement so far. */
      readonly known: Set<string>;
      readonly series: HourSeries;
    },
  ): Promise<void> {
    const { home, fields, withSum, counts, signal } = part;
    const { batchBytes } = this.#options.config;
    const statements = fields.map((field) =>
      this.#statement(project, hour, { home, field, withSum }),
    );
    let text = '';
    try {
      for await (const answer of this.#connection.query(statements.join('; '), signal)) {
        const key = this.#keyOf(home, answer, part);
        if (key === undefined) counts.dropped += answer.rows.length;
        else {
          counts.rows += answer.rows.length;
          text += longLines(key, fields[answer.statement] ?? '', answer);
        }
        if (text.length < batchBytes) continue;
        this.#checkLease(part.until);
        await this.#send(text);
        text = '';
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.message !== TOO_LARGE_A_SUM || !withSum)
        throw error;
      // Rows are written again whole, so what was counted or sent before does no harm.
      for (const field of fields) {
        await this.#aggregateFields(project, hour, {
          ...part,
          fields: [field],
          withSum: fields.length > 1,
        });
      }
      return;
    }
    this.#checkLease(part.until);
    await this.#send(text);
  }

  #statement(
    project: ProjectId,
    hour: Instant,
    of: { readonly home: string; readonly field: string; readonly withSum: boolean },
  ): string {
    const { config } = this.#options;
    const field = `${quoteName(encodeName(of.field))}::field`;
    const parts = ['min', 'max', ...(of.withSum ? ['sum'] : []), 'count', 'last'];
    const tags = keptTags(config).map((tag) => quoteName(encodeName(tag)));
    return (
      `SELECT ${parts.map((name) => `${name}(${field}) AS ${quoteName(name)}`).join(', ')} ` +
      `FROM ${this.#connection.from(RAW_POLICY, encodeName(of.home))} ` +
      `WHERE ${tagCondition(project)} AND ${timeCondition(hour, hour + HOUR_MS)} ` +
      `GROUP BY time(${config.longStepMs}ms), ${tags.join(', ')} fill(none)`
    );
  }

  /** Undefined when there are too many series. Answers come in order of tags, so the same go. */
  #keyOf(
    home: string,
    { tags }: { readonly tags: Tags },
    { known, series }: { readonly known: Set<string>; readonly series: HourSeries },
  ): string | undefined {
    const key = longLineKey(home, tags);
    if (!known.has(key)) {
      if (known.size >= this.#options.config.maxLongSeries || series.count >= series.most) {
        return undefined;
      }
      known.add(key);
      series.count += 1;
    }
    return key;
  }

  /** Who has slept past the lease must not write over a newer result. */
  #checkLease(until: number): void {
    if (this.#options.clock.elapsed() < until) return;
    throw new AppError('FENCED', 'an hour of long-term metrics took longer than its lease');
  }

  async #send(text: string): Promise<void> {
    if (text === '') return;
    const answer = await this.#sender.send(LONG_POLICY, text);
    if (answer === undefined || answer.kind === 'beyond-retention') return;
    throw this.#connection.misconfigured(`refuses long-term aggregates: ${answer.kind}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#connection[Symbol.dispose]();
    return Promise.resolve();
  }
}
