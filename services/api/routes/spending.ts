import { z } from 'zod';
import {
  restApplicationSpending,
  restClusterSpending,
  restProjectSpending,
} from '../../../shared/contracts/rest-spending.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import {
  addSpending,
  idleAmount,
  NO_SPENDING,
  SPENDING_PARTS,
  type SpendingPart,
  type SpendingParts,
  totalSpending,
  whereItWent,
} from '../../../shared/rating/where-it-went.ts';
import { DAY_MS, formatInstant, HOUR_MS, utcHour } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { demandAllProjects } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, limitParameter, timeParameter } from '../http/query-schema.ts';
import { idleHours } from '../idle-hours.ts';
import { mustCluster } from './cluster-idle.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'journal' | 'spending' | 'clusters' | 'tariff' | 'clock'>;

interface Spent {
  readonly cluster: string;
  readonly application: string;
  readonly parts: SpendingParts;
}

const CLUSTER_WINDOW_MAX_MS = 31 * DAY_MS;
const ALL_TIME = { from: 0, until: Number.MAX_SAFE_INTEGER };

function toRest(parts: SpendingParts) {
  const told = Object.fromEntries(SPENDING_PARTS.map((part) => [part, formatCredits(parts[part])]));
  return {
    charged: formatCredits(totalSpending(parts)),
    parts: told as Record<SpendingPart, string>,
  };
}

const sumOf = (some: readonly { readonly parts: SpendingParts }[]): SpendingParts =>
  some.reduce((sum, { parts }) => addSpending(sum, parts), NO_SPENDING);

const sumAmount = (some: readonly { readonly parts: SpendingParts }[]): bigint =>
  totalSpending(sumOf(some));

/** Dearest first; of equals in the order in which they came. */
function byAmount<T extends { readonly parts: SpendingParts }>(some: readonly T[]): T[] {
  const amount = ({ parts }: T): bigint => totalSpending(parts);
  return [...some].sort((a, b) => (amount(a) === amount(b) ? 0 : amount(a) > amount(b) ? -1 : 1));
}

/** Whole UTC hours: the one of `from` to the one before `until`, which is cut off at its start. */
function wholeHours({ from, until }: { readonly from: number; readonly until: number }) {
  return { from: utcHour(from), until: utcHour(until - 1) + HOUR_MS };
}

async function spentBy(
  { spending }: Deps,
  project: Parameters<Deps['spending']['spending']>[0],
  window: { readonly from: number; readonly until: number },
  cluster?: string,
): Promise<Spent[]> {
  const filter = cluster === undefined ? {} : { cluster };
  const found = await spending.spending(project, window, filter);
  return found.map(({ amounts, slots, ...rest }) => ({
    ...rest,
    parts: whereItWent(amounts, slots),
  }));
}

function applicationEndpoint(deps: Deps): Endpoint {
  return endpoint({
    method: 'get',
    path: '/v1/projects/{project}/applications/{cluster}/{application}/where',
    scope: 'read',
    summary: 'Where the credits of one application went, adding up to its charges',
    answer: restApplicationSpending,
    async handle({ project, params }) {
      const { cluster = '', application = '' } = params;
      const cost = await deps.ledger.application(project, cluster, application);
      if (cost === undefined) {
        throw new AppError('NOT_FOUND', `project ${project} has no such application`);
      }
      const filter = { cluster, application };
      const [spent] = await deps.spending.spending(project, ALL_TIME, filter);
      const { activity } = cost;
      const slots = spent?.slots ?? activity;
      return {
        cluster,
        application,
        accrued: formatCredits(cost.accrued),
        ...toRest(whereItWent(spent?.amounts ?? [], slots)),
        slots:
          activity === undefined
            ? null
            : {
                slotMs: activity.slotMs,
                usefulMs: activity.usefulMs,
                wastedMs: activity.wastedMs,
                idleMs: activity.idleMs,
                tailMs: activity.tailMs,
                startUpMs: activity.startUpMs,
              },
      };
    },
  });
}

function projectEndpoint(deps: Deps): Endpoint {
  const now = () => deps.clock.now();
  return endpoint({
    method: 'get',
    path: '/v1/projects/{project}/where',
    scope: 'read',
    summary: 'Where the credits of a project went, by cluster and application; whole UTC hours',
    query: z.object({
      from: timeParameter(now, '-30d'),
      until: timeParameter(now, 'now'),
      cluster: z.string().max(256).optional(),
      limit: limitParameter(20, 500),
    }),
    answer: restProjectSpending,
    async handle({ project, query }) {
      await mustBalance(deps, project, now());
      checkWindow(query);
      const window = wholeHours(query);
      const all = await spentBy(deps, project, window, query.cluster);
      const dearest = byAmount(all);
      const others = dearest.slice(query.limit);
      const clusters = [...Map.groupBy(all, ({ cluster }) => cluster)];
      return {
        project,
        from: formatInstant(window.from),
        until: formatInstant(window.until),
        ...toRest(sumOf(all)),
        clusters: clusters.map(([cluster, some]) => ({ cluster, ...toRest(sumOf(some)) })),
        applications: dearest.slice(0, query.limit).map(({ cluster, application, parts }) => ({
          ...{ cluster, application },
          ...toRest(parts),
        })),
        others: { applications: others.length, ...toRest(sumOf(others)) },
      };
    },
  });
}

function clusterEndpoint(deps: Deps): Endpoint {
  const now = () => deps.clock.now();
  return endpoint({
    method: 'get',
    path: '/v1/clusters/{cluster}/where',
    scope: 'read',
    summary: 'Where the credits of a cluster went, by project, and what it kept idle',
    query: z.object({ from: timeParameter(now, '-1d'), until: timeParameter(now, 'now') }),
    answer: restClusterSpending,
    async handle({ caller, params, query }) {
      demandAllProjects(caller);
      checkWindow(query);
      if (query.until - query.from > CLUSTER_WINDOW_MAX_MS) {
        throw badRequest([{ path: 'query.from', message: 'must be within 31 days of until' }]);
      }
      const cluster = mustCluster(deps, params);
      const asked = wholeHours(query);
      const window = { ...asked, until: Math.min(asked.until, utcHour(now()) + HOUR_MS) };
      const spent: { project: string; parts: SpendingParts }[] = [];
      for (const project of await deps.ledger.projects()) {
        const some = await spentBy(deps, project, window, cluster);
        if (some.length > 0) spent.push({ project, parts: sumOf(some) });
      }
      const parts = sumOf(spent);
      const { hours, heardUntil } = await idleHours(deps, cluster, window);
      const idle =
        heardUntil === undefined
          ? undefined
          : idleAmount(hours, (hour) => deps.tariff.of(cluster).cardAt(hour));
      return {
        cluster,
        from: formatInstant(window.from),
        until: formatInstant(window.until),
        ...toRest(parts),
        projects: byAmount(spent).map((one) => ({ project: one.project, ...toRest(one.parts) })),
        unallocated: formatCredits(
          sumAmount(spent.filter(({ project }) => project === UNATTRIBUTED)),
        ),
        idle: idle === undefined ? null : formatCredits(idle),
        total: formatCredits(totalSpending(parts) + (idle ?? 0n)),
      };
    },
  });
}

/** Where it went: useful and wasted work, idle, tail, start-up, driver, application master. */
export function spendingEndpoints(deps: Deps): Endpoint[] {
  return [applicationEndpoint(deps), projectEndpoint(deps), clusterEndpoint(deps)];
}
