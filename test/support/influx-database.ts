import type { PointBlock, Series } from '../../shared/contracts/metric-point.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../shared/stores/checkpoint.ts';
import { type InfluxConfig, influxConfig } from '../../shared/stores/influx/config.ts';
import { influxTarget, type Policy } from '../../shared/stores/influx/influx-target.ts';
import { initInflux } from '../../shared/stores/influx/init-influx.ts';
import { openInfluxMetricReader } from '../../shared/stores/influx/open-influx-metric-reader.ts';
import {
  openInfluxMetricWriter,
  type PointFate,
} from '../../shared/stores/influx/open-influx-metric-writer.ts';
import { bucketQuery } from '../../shared/stores/influx/server-policies.ts';
import type { RefusedPoint } from '../../shared/stores/influx/store-points.ts';
import type { MetricReader, MetricWriter } from '../../shared/stores/metric-store.ts';
import { DAY_MS, HOUR_MS, type Instant, SECOND_MS } from '../../shared/values/instant.ts';
import { MapCheckpoints } from './map-checkpoints.ts';

let databases = 0;

export type PointAt = readonly [Series, Instant, number];

/** Where a server is, and of 2.x the organization and a token that may do all. */
export interface InfluxAddress {
  readonly url: string;
  readonly login: { readonly org?: string; readonly token?: string };
}

/** A database of its own on a running InfluxDB, which keeps points of any age unless told otherwise. */
export class InfluxDatabase implements AsyncDisposable {
  readonly config: InfluxConfig;
  readonly checkpoints = new MapCheckpoints();
  readonly fates = new Map<PointFate, number>();
  readonly refused: RefusedPoint[] = [];
  readonly writer: MetricWriter;
  readonly reader: MetricReader;

  private constructor(config: InfluxConfig, writer: MetricWriter, reader: MetricReader) {
    this.config = config;
    this.writer = writer;
    this.reader = reader;
  }

  static async config(
    server: InfluxAddress,
    extra: Record<string, unknown> = {},
  ): Promise<InfluxConfig> {
    databases += 1;
    const name = `tollgate_${process.pid}_${databases}`;
    const config = influxConfig.parse({
      url: server.url,
      ...server.login,
      database: name,
      bucket: name,
      rawRetentionMs: 10_000 * DAY_MS,
      longRetentionMs: 10_000 * DAY_MS,
      measurements: [{ measurement: 'driver', fields: ['*'] }],
      ...extra,
    });
    await initInflux(config);
    return config;
  }

  static async create(
    server: InfluxAddress,
    extra: Record<string, unknown> = {},
    clock: Clock = systemClock,
  ): Promise<InfluxDatabase> {
    return InfluxDatabase.open(await InfluxDatabase.config(server, extra), clock);
  }

  /** @param throughUrl where the writer sends to, such as a proxy's address */
  static async open(
    config: InfluxConfig,
    clock: Clock = systemClock,
    throughUrl: string = config.url,
  ): Promise<InfluxDatabase> {
    const sinks: { database?: InfluxDatabase } = {};
    const writer = await openInfluxMetricWriter({
      config: { ...config, url: throughUrl },
      clock,
      random: Math.random,
      checkpoints: {
        save: (all) => sinks.database?.checkpoints.save(all) ?? Promise.resolve(),
        checkpoints: (prefix) =>
          sinks.database?.checkpoints.checkpoints(prefix) ?? Promise.resolve([]),
        lastSavedAt: () => Promise.resolve(undefined),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      onRefused: (point) => {
        sinks.database?.refused.push(point);
        return Promise.resolve();
      },
      onFate: (fate, points) => {
        const { fates } = sinks.database ?? {};
        fates?.set(fate, (fates.get(fate) ?? 0) + points);
      },
    });
    const reader = await openInfluxMetricReader({ config, clock });
    sinks.database = new InfluxDatabase(config, writer, reader);
    return sinks.database;
  }

  /** What tells the server who asks. */
  get headers(): Record<string, string> {
    const { token } = influxTarget(this.config);
    return token === '' ? {} : { authorization: `Token ${token}` };
  }

  block(points: readonly PointAt[]): PointBlock {
    return {
      series: Uint32Array.from(points, ([series]) => this.writer.declare(series)),
      at: Float64Array.from(points, ([, at]) => at),
      value: Float64Array.from(points, ([, , value]) => value),
      length: points.length,
    };
  }

  put(points: readonly PointAt[], checkpoints: readonly Checkpoint[] = []): Promise<void> {
    return this.writer.write(this.block(points), checkpoints);
  }

  /** Rows of one InfluxQL statement. */
  async ask(statement: string, method = 'GET'): Promise<unknown[][]> {
    const { database } = influxTarget(this.config);
    const url = new URL(`${this.config.url}/query`);
    url.search = new URLSearchParams({ db: database, epoch: 'ms', q: statement }).toString();
    const { headers } = this;
    const answer = (await (await fetch(url, { method, headers })).json()) as {
      results: { series?: { values: unknown[][] }[] }[];
    };
    return answer.results.flatMap(({ series = [] }) => series.flatMap(({ values }) => values));
  }

  /** Number of a statement's one row, behind its time; 0 without one. */
  async number(statement: string): Promise<number> {
    return Number((await this.ask(statement))[0]?.[1] ?? 0);
  }

  /** What the server keeps of a policy or bucket, and how much of it goes at once. */
  async retention(policy: Policy): Promise<{ keptMs: number; shardMs: number }> {
    const { isV2, database, org } = influxTarget(this.config);
    if (!isV2) {
      const rows = await this.ask(`SHOW RETENTION POLICIES ON "${database}"`);
      const [, kept, shard] = rows.find(([name]) => name === policy) ?? [];
      const ms = (text: unknown): number => Number.parseInt(String(text), 10) * HOUR_MS;
      return { keptMs: ms(kept), shardMs: ms(shard) };
    }
    const { headers } = this;
    const url = `${this.config.url}${bucketQuery(org, database, policy)}`;
    const answer = (await (await fetch(url, { headers })).json()) as {
      buckets: {
        retentionRules: { everySeconds: number; shardGroupDurationSeconds: number }[];
      }[];
    };
    const rule = answer.buckets[0]?.retentionRules[0];
    return {
      keptMs: (rule?.everySeconds ?? 0) * SECOND_MS,
      shardMs: (rule?.shardGroupDurationSeconds ?? 0) * SECOND_MS,
    };
  }

  /** Writes line protocol as another program would. */
  async writeLines(lines: string): Promise<void> {
    const { database, org } = influxTarget(this.config);
    const query = new URLSearchParams({ org, precision: 'ms', bucket: `${database}/raw` });
    const url = `${this.config.url}/api/v2/write?${query}`;
    const { headers } = this;
    const answer = await fetch(url, { method: 'POST', headers, body: lines });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]();
    await this.reader[Symbol.asyncDispose]();
  }
}
