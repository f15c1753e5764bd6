import { z } from 'zod';
import { restStreamCosts } from '../../../shared/contracts/rest-spending.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { type QueryHour, streamCost } from '../../../shared/rating/stream-cost.ts';
import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import type { Aggregate, SeriesPoints } from '../../../shared/stores/metric-store.ts';
import {
  DAY_MS,
  formatInstant,
  HOUR_MS,
  type Instant,
  utcHour,
} from '../../../shared/values/instant.ts';
import { intersect } from '../../../shared/values/interval.ts';
import { formatCredits, type Nanocredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, timeParameter } from '../http/query-schema.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'spending' | 'metricStore' | 'clock'>;

const WINDOW_MAX_MS = 31 * DAY_MS;
/** Runs of all queries; each restart is a series. */
const SERIES_MAX = 1_000;

interface Asked {
  readonly project: ProjectId;
  readonly cost: ApplicationCost;
  readonly from: Instant;
  readonly until: Instant;
}

/** Batches by query and hour of their end; rows of a query of several runs come for each run. */
async function batchesOf({ metricStore }: Deps, { project, cost, from, until }: Asked) {
  const read = (field: string, aggregate: Aggregate): Promise<SeriesPoints[]> =>
    metricStore.query(project, {
      ...{ measurement: 'streaming_query', field, aggregate, stepMs: HOUR_MS },
      ...{ from, until, limit: SERIES_MAX },
      tags: { cluster: cost.cluster, application: cost.application },
    });
  const [durations, counts, rows] = await Promise.all([
    read('trigger_ms', 'sum'),
    read('trigger_ms', 'count'),
    read('input_rows', 'sum'),
  ]);
  const names = new Map<string, string>();
  const hours = new Map<string, QueryHour>();
  const add = (found: readonly SeriesPoints[], part: 'triggerMs' | 'batches' | 'rows'): void => {
    for (const { tags, points } of found) {
      const query = tags['query'] ?? '';
      names.set(query, tags['name'] ?? '');
      for (const [at, value] of points) {
        const hour = utcHour(at);
        const key = JSON.stringify([query, hour]);
        const known = hours.get(key) ?? { query, hour, batches: 0, rows: 0, triggerMs: 0 };
        hours.set(key, { ...known, [part]: known[part] + value });
      }
    }
  };
  add(durations, 'triggerMs');
  add(counts, 'batches');
  add(rows, 'rows');
  return { names, batches: [...hours.values()] };
}

async function costOf(deps: Deps, asked: Asked) {
  const { project, cost, from, until } = asked;
  const { cluster, application } = cost;
  const charged = await deps.spending.hourlySpending(
    project,
    { from, until },
    { cluster, application },
  );
  const { names, batches } = await batchesOf(deps, asked);
  const life = { start: cost.start, end: cost.end ?? until };
  const hours = charged.map(({ hour, amount }) => {
    const there = intersect(life, { start: hour, end: hour + HOUR_MS });
    return { hour, amount, spanMs: there === undefined ? 0 : there.end - there.start };
  });
  const found = streamCost(hours, batches);
  const orNull = (amount: Nanocredits | undefined): string | null =>
    amount === undefined ? null : formatCredits(amount);
  return {
    ...{ cluster, application, from: formatInstant(from), until: formatInstant(until) },
    charged: formatCredits(found.charged),
    idle: formatCredits(found.idle),
    queries: found.queries.map((one) => ({
      id: one.query,
      name: names.get(one.query) ?? '',
      ...{ batches: one.batches, rows: one.rows, triggerMs: one.triggerMs },
      worked: formatCredits(one.worked),
      idle: formatCredits(one.idle),
      perMillionRows: orNull(one.perMillionRows),
      perBatch: orNull(one.perBatch),
    })),
  };
}

/** Cost of an application's streaming queries per million rows, per micro-batch, and while idle. */
export function streamCostEndpoints(deps: Deps): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/applications/{cluster}/{application}/stream-costs',
      scope: 'read',
      summary: 'Credits of streaming queries per million rows and micro-batch; whole UTC hours',
      query: z.object({ from: timeParameter(now, '-1d'), until: timeParameter(now, 'now') }),
      answer: restStreamCosts,
      async handle({ project, params, query }) {
        checkWindow(query);
        if (query.until - query.from > WINDOW_MAX_MS) {
          throw badRequest([{ path: 'query.from', message: 'must be within 31 days of until' }]);
        }
        const { cluster = '', application = '' } = params;
        const cost = await deps.ledger.application(project, cluster, application);
        if (cost === undefined) {
          throw new AppError('NOT_FOUND', `project ${project} has no such application`);
        }
        const from = utcHour(query.from);
        const until = Math.max(from, utcHour(query.until - 1) + HOUR_MS);
        return costOf(deps, { project, cost, from, until });
      },
    }),
  ];
}
