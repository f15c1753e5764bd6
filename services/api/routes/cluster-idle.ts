import { z } from 'zod';
import { addQuantity, NO_QUANTITY, type Quantity } from '../../../shared/contracts/charge.ts';
import { restClusterIdle } from '../../../shared/contracts/rest-witnesses.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { IdleHour } from '../../../shared/rating/cluster-idle.ts';
import { DAY_MS, formatInstant, HOUR_MS, utcHour } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, timeParameter } from '../http/query-schema.ts';
import { idleHours } from '../idle-hours.ts';

type Deps = Pick<ApiDeps, 'journal' | 'ledger' | 'clusters' | 'clock'>;

const WINDOW_MAX_MS = 31 * DAY_MS;

function toRest({ millicoreMs, mibMs, gpuMs }: Quantity) {
  return { millicoreMs: `${millicoreMs}`, mibMs: `${mibMs}`, gpuMs: `${gpuMs}` };
}

/** The cluster's name, or the 404 of one that nobody configured. */
export function mustCluster(
  { clusters }: Pick<ApiDeps, 'clusters'>,
  { cluster = '' }: Readonly<Record<string, string>>,
): string {
  if (clusters.some(({ id }) => id === cluster)) return cluster;
  throw new AppError('NOT_FOUND', `there is no cluster ${cluster}`);
}

function total(hours: readonly IdleHour[], part: Exclude<keyof IdleHour, 'hour'>) {
  return toRest(hours.reduce((sum, hour) => addQuantity(sum, hour[part]), NO_QUANTITY));
}

async function idleOf(deps: Deps, cluster: string, asked: { from: number; until: number }) {
  const now = deps.clock.now();
  const from = utcHour(asked.from);
  const until = Math.min(utcHour(asked.until - 1), utcHour(now)) + HOUR_MS;
  const { hours, uses, heardUntil, knownUntil } = await idleHours(deps, cluster, { from, until });
  const accruing = new Set(uses.flatMap(({ hour, provisional }) => (provisional ? [hour] : [])));
  return {
    cluster,
    from: formatInstant(from),
    until: formatInstant(until),
    knownUntil: heardUntil === undefined ? null : formatInstant(heardUntil),
    hours: hours.map(({ hour, nodes, containers, unallocated, idle }) => ({
      hour: formatInstant(hour),
      nodes: toRest(nodes),
      containers: toRest(containers),
      unallocated: toRest(unallocated),
      idle: toRest(idle),
      provisional: accruing.has(hour) || hour + HOUR_MS > knownUntil,
    })),
    total: {
      nodes: total(hours, 'nodes'),
      containers: total(hours, 'containers'),
      unallocated: total(hours, 'unallocated'),
      idle: total(hours, 'idle'),
    },
  };
}

/** What nobody used of a cluster that somebody pays for. */
export function clusterIdleEndpoints(deps: Deps): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/clusters/{cluster}/idle',
      scope: 'read',
      summary: 'Nodes − containers of a cluster by UTC hour, exact in resource-milliseconds',
      query: z.object({
        from: timeParameter(now, '-24h'),
        until: timeParameter(now, 'now'),
      }),
      answer: restClusterIdle,
      async handle({ params, query }) {
        checkWindow(query);
        if (query.until - query.from > WINDOW_MAX_MS) {
          throw badRequest([{ path: 'query.from', message: 'must be within 31 days of until' }]);
        }
        return idleOf(deps, mustCluster(deps, params), query);
      },
    }),
  ];
}
