import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';
import { DAY_MS, type Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ApplicationLines, LogPage, LogQuery, LogReader, StoredLog } from '../log-store.ts';
import type { ElasticConfig } from './config.ts';
import { storedLog } from './elastic-log-document.ts';
import { causeIn, ElasticRequests } from './elastic-requests.ts';
import type { IndexPlaces } from './indices/places.ts';
import {
  type Clause,
  logFilter,
  NEWEST_FIRST,
  parseCursor,
  printCursor,
} from './log-query-body.ts';

const MAX_LIMIT = 1_000;
const MAX_TEMPLATES = 200;
/** The counts are exact while no shard holds more templates than these. */
const TEMPLATES_OF_SHARD = 5_000;
/** The largest instant that a date holds here, and the smallest. */
const EVER = 100_000_000 * DAY_MS;

export interface ElasticLogReaderOptions {
  /** Closed by the caller. */
  readonly client: Client;
  readonly config: Pick<ElasticConfig, 'url' | 'searchTimeoutMs'>;
  readonly places: IndexPlaces;
}

interface Hit {
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
  readonly sort: readonly [number, string];
}

interface Bucket {
  readonly key: string;
  readonly doc_count: number;
  readonly example?: { readonly hits: { readonly hits: readonly Hit[] } };
  readonly applications?: { readonly buckets: readonly Bucket[] };
}

interface Aggregation {
  readonly value?: number;
  readonly buckets?: readonly Bucket[];
  /** Of what is in no bucket, since there are too many. */
  readonly sum_other_doc_count?: number;
}

interface Found {
  readonly hits: readonly Hit[];
  readonly aggregations: Readonly<Record<string, Aggregation>>;
}

interface Template {
  readonly fingerprint: string;
  readonly count: number;
  readonly example: StoredLog;
}

/** Clusters of one project. */
const CLUSTERS_MAX = 1_000;

function within(limit: number, most: number): number {
  return Math.min(Math.max(1, Math.trunc(limit)), most);
}

function stored({ _id, _source }: Hit): StoredLog {
  return storedLog(_id, _source);
}

/** LogReader on Elasticsearch. */
export class ElasticLogReader implements LogReader {
  readonly #places: IndexPlaces;
  readonly #requests: ElasticRequests;
  readonly #timeoutMs: number;

  constructor({ client, config, places }: ElasticLogReaderOptions) {
    this.#places = places;
    this.#requests = new ElasticRequests(client, config.url);
    this.#timeoutMs = config.searchTimeoutMs;
  }

  async search(project: ProjectId, query: LogQuery): Promise<LogPage> {
    const limit = within(query.limit, MAX_LIMIT);
    const after = parseCursor(project, query);
    const { hits } = await this.#search(project, query, {
      query: logFilter(project, query),
      sort: NEWEST_FIRST,
      size: limit + 1,
      ...(after === undefined ? {} : { search_after: [after.at, after.order] }),
    });
    const page = hits.slice(0, limit);
    const last = page.at(-1);
    const records = page.map(stored);
    if (hits.length <= limit || last === undefined) return { records };
    const [at, order] = last.sort;
    return { records, cursor: printCursor(project, query, { at, order }) };
  }

  /**
   * Counts are exact while no shard has more than 5,000 templates in the span; above that a rare one
   * may be counted too low, a frequent one is found all the same.
   */
  async fingerprints(project: ProjectId, query: LogQuery): Promise<Template[]> {
    const size = within(query.limit, MAX_TEMPLATES);
    const filter = logFilter(project, query);
    const counted = await this.#search(project, query, {
      query: filter,
      size: 0,
      aggs: {
        templates: { terms: { field: 'fingerprint', size, shard_size: TEMPLATES_OF_SHARD } },
      },
    });
    const buckets = counted.aggregations['templates']?.buckets ?? [];
    if (buckets.length === 0) return [];
    const include = buckets.map(({ key }) => key);
    const latest = { top_hits: { size: 1, sort: NEWEST_FIRST } };
    const shown = await this.#search(project, query, {
      query: { bool: { filter: [filter, { terms: { fingerprint: include } }] } },
      size: 0,
      aggs: {
        templates: {
          terms: { field: 'fingerprint', size: include.length, include },
          aggs: { example: latest },
        },
      },
    });
    const examples = new Map(
      (shown.aggregations['templates']?.buckets ?? []).flatMap(({ key, example }) => {
        const hit = example?.hits.hits[0];
        return hit === undefined ? [] : [[key, stored(hit)] as const];
      }),
    );
    return buckets.flatMap(({ key, doc_count }) => {
      const example = examples.get(key);
      return example === undefined ? [] : [{ fingerprint: key, count: doc_count, example }];
    });
  }

  async countByApplication(
    project: ProjectId,
    query: Omit<LogQuery, 'cursor'>,
  ): Promise<{ applications: ApplicationLines[]; complete: boolean }> {
    // Not multi_terms: that is a part of Elastic's distribution which plain Elasticsearch lacks.
    const lines = {
      terms: { field: 'application', size: query.limit + 1 },
      aggs: { example: { top_hits: { size: 1, sort: NEWEST_FIRST } } },
    };
    const { aggregations } = await this.#search(project, query, {
      query: logFilter(project, query),
      size: 0,
      aggs: {
        clusters: {
          terms: { field: 'cluster', size: CLUSTERS_MAX },
          aggs: { applications: lines },
        },
      },
    });
    const clusters = aggregations['clusters'];
    const found = (clusters?.buckets ?? []).flatMap(
      (cluster) => cluster.applications?.buckets ?? [],
    );
    const applications = found
      .flatMap(({ doc_count, example }) => {
        const hit = example?.hits.hits[0];
        if (hit === undefined) return [];
        const newest = stored(hit);
        const { cluster, application } = newest;
        return [{ cluster, application, count: doc_count, newest }];
      })
      .sort((one, other) => other.count - one.count);
    const others = clusters?.sum_other_doc_count ?? 0;
    const complete = applications.length <= query.limit && others === 0;
    return { applications: applications.slice(0, query.limit), complete };
  }

  async volume(project: ProjectId, from: Instant): Promise<{ records: number; bytes: number }> {
    const filter: Clause[] = [{ term: { project } }];
    // By the time of storing, which an index doesn't tell: a late line lies in an old one.
    if (from > 0) filter.push({ range: { stored: { gte: from } } });
    const { aggregations } = await this.#search(
      project,
      { from: -EVER, until: EVER },
      {
        query: { bool: { filter } },
        size: 0,
        aggs: { records: { value_count: { field: 'at' } }, bytes: { sum: { field: 'bytes' } } },
      },
    );
    const count = (name: string): number => Number(aggregations[name]?.value ?? 0);
    return { records: count('records'), bytes: count('bytes') };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /**
   * One search over the places of a span. As a multi-search, since the names go in its body: a URL
   * holds 4 KB.
   */
  async #search(
    project: ProjectId,
    { from, until }: Pick<LogQuery, 'from' | 'until'>,
    body: Clause,
  ): Promise<Found> {
    const index = this.#places.places(project, from, until);
    // No index named would be all of them.
    if (index.length === 0) return { hits: [], aggregations: {} };
    const header = {
      index,
      ignore_unavailable: true,
      allow_no_indices: true,
      allow_partial_search_results: false,
    };
    const bounds = { track_total_hits: false, timeout: `${this.#timeoutMs}ms` };
    const answer = await this.#requests.send({
      method: 'POST',
      path: '/_msearch',
      lines: `${JSON.stringify(header)}\n${JSON.stringify({ ...body, ...bounds })}\n`,
    });
    const responses = (answer.body as { responses?: unknown[] } | null)?.responses;
    if (answer.status !== 200 || responses?.[0] === undefined) {
      throw this.#failed(answer.status, answer.body);
    }
    const found = responses[0] as {
      status?: number;
      timed_out?: boolean;
      hits?: { hits: Hit[] };
      aggregations?: Found['aggregations'];
    };
    if (found.hits === undefined) throw this.#failed(found.status ?? 500, found);
    if (found.timed_out === true) throw this.#late();
    return { hits: found.hits.hits, aggregations: found.aggregations ?? {} };
  }

  #failed(status: number, body: unknown): AppError {
    const { type, reason } = causeIn(body);
    const wrong = status >= 400 && status < 500 && status !== 429;
    return new AppError(
      wrong ? 'STORE_MISCONFIGURED' : 'STORE_UNAVAILABLE',
      `Elasticsearch at ${this.#requests.url} could not search (${status} ${type}: ${reason})` +
        (wrong ? '; run "tollgate stores check"' : '; try again'),
    );
  }

  #late(): AppError {
    return new AppError(
      'STORE_UNAVAILABLE',
      `the search took longer than ${this.#timeoutMs} ms; ask for a shorter time or more words`,
    );
  }
}

export function openElasticLogReader(options: ElasticLogReaderOptions): ElasticLogReader {
  return new ElasticLogReader(options);
}
