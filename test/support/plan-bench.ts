import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { elasticConfig } from '../../shared/stores/elastic/config.ts';
import type { IndexPlaces } from '../../shared/stores/elastic/indices/places.ts';
import {
  type IndexPlanConfig,
  indexPlanConfig,
} from '../../shared/stores/elastic/indices/plan-config.ts';
import { IndexPlanHome } from '../../shared/stores/elastic/indices/plan-home.ts';
import { planIndex } from '../../shared/stores/elastic/indices/plan-names.ts';
import { PlannedPlaces } from '../../shared/stores/elastic/indices/plan-places.ts';
import type { IndexPlannerParts } from '../../shared/stores/elastic/indices/planner-loop.ts';
import { initElastic } from '../../shared/stores/elastic/init-elastic.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { ElasticLogReader } from '../../shared/stores/elastic/open-elastic-log-reader.ts';
import { ElasticLogWriter } from '../../shared/stores/elastic/open-elastic-log-writer.ts';
import type { LogWriteResult } from '../../shared/stores/log-store.ts';
import type { Instant } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { FakeClock } from './fake-clock.ts';
import { MapCheckpoints } from './map-checkpoints.ts';

/** A machine that does other things as well takes its time to make an index. */
const QUIET = { replicas: 0, requestTimeoutMs: 120_000 };

/** A log store on a real server with its plan, at a time that the test moves. */
export class IndexPlanBench implements AsyncDisposable {
  readonly client: Client;
  readonly prefix: string;
  readonly clock: FakeClock;
  readonly home: IndexPlanHome;
  config: IndexPlanConfig;
  readonly #elastic: ReturnType<typeof elasticConfig.parse>;

  private constructor(url: string, prefix: string, options: { now: Instant; config: object }) {
    this.#elastic = elasticConfig.parse({ url, indexPrefix: prefix, ...QUIET });
    this.client = openElasticClient(this.#elastic);
    this.prefix = prefix;
    this.clock = new FakeClock(options.now);
    this.home = new IndexPlanHome(this.client, planIndex(prefix));
    this.config = indexPlanConfig.parse(options.config);
  }

  /** @param prefix keeps the tests of one server apart */
  static async open(
    url: string,
    prefix: string,
    options: { now: Instant; config: object },
  ): Promise<IndexPlanBench> {
    const bench = new IndexPlanBench(url, prefix, options);
    await initElastic(bench.client, bench.#elastic);
    return bench;
  }

  get planner(): IndexPlannerParts {
    const { client, prefix, config, clock } = this;
    return { client, prefix, config, clock };
  }

  /** By the newest plan. */
  async places(): Promise<IndexPlaces> {
    return new PlannedPlaces(this.prefix, (await this.home.read()).plan);
  }

  async write(records: readonly LogRecord[]): Promise<LogWriteResult> {
    await using writer = new ElasticLogWriter({
      client: this.client,
      config: this.#elastic,
      places: await this.places(),
      checkpoints: new MapCheckpoints(),
      clock: systemClock,
      random: Math.random,
      randomId: randomUUID,
      onRefused: async (refused) => {
        throw new Error(`${refused.length} records were refused`);
      },
    });
    const written = await writer.write({ records, checkpoints: [] });
    await this.client.indices.refresh({ index: `${this.prefix}-*` });
    return written;
  }

  /** How many records a reader finds of a project. */
  async found(project: ProjectId, from: Instant): Promise<number> {
    await using reader = new ElasticLogReader({
      client: this.client,
      config: this.#elastic,
      places: await this.places(),
    });
    return (await reader.volume(project, from)).records;
  }

  /** Names of the indices that are there, the plan's own too. */
  async indices(): Promise<string[]> {
    const index = `${this.prefix}-*,${planIndex(this.prefix)}`;
    const rows = await this.client.cat.indices({ index, format: 'json', h: 'index' });
    return rows.flatMap((row) => row.index ?? []);
  }

  async count(index: string): Promise<number> {
    return (await this.client.count({ index, ignore_unavailable: true })).count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

/** A line with an identity, so that it can come twice. */
export function aLine(project: ProjectId, at: Instant, id: string): LogRecord {
  return {
    at,
    project,
    cluster: 'main',
    application: 'application_1_0001',
    container: 'driver',
    level: 'INFO',
    logger: 'DAGScheduler',
    thread: 'main',
    message: `Submitting stage ${id} of ${project}`,
    fingerprint: '0123456789abcdef',
    marks: [],
    id,
  };
}
