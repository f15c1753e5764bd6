import { z } from 'zod';
import { restApplication, restApplications } from '../../../shared/contracts/rest.ts';
import { restOutcomes } from '../../../shared/contracts/rest-witnesses.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Outcome } from '../../../shared/rating/outcome.ts';
import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import type { ApiDeps } from '../api-deps.ts';
import { applicationLinks } from '../application-links.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitParameter } from '../http/query-schema.ts';
import { toRestCoverage } from '../rest-money.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'clusters' | 'clock'>;

function toRest(deps: Deps, cost: ApplicationCost): z.infer<typeof restApplication> {
  const { activity } = cost;
  const cluster = deps.clusters.find(({ id }) => id === cost.cluster);
  return {
    id: cost.application,
    cluster: cost.cluster,
    project: cost.project,
    name: cost.name,
    user: cost.user,
    queue: cost.queue,
    attempts: [...cost.attempts],
    state: cost.state,
    start: formatInstant(cost.start),
    end: cost.end === undefined ? null : formatInstant(cost.end),
    containers: { running: cost.containersRunning, total: cost.containersTotal },
    resources: {
      cores: cost.millicores / 1_000,
      memoryMib: cost.memoryMib,
      gpus: cost.gpus,
    },
    cost: {
      charged: formatCredits(cost.charged),
      accrued: formatCredits(cost.accrued),
      total: formatCredits(cost.charged + cost.accrued),
      perHour: formatCredits(cost.perHour),
      coverage: toRestCoverage(cost),
    },
    coverage: cost.coverage,
    activity:
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
    tags: { ...cost.tags },
    links: applicationLinks(cost, cluster, deps.clock.now()),
  };
}

const listQuery = z.object({
  state: z.enum(['running', 'ended']).optional(),
  limit: limitParameter(100, 500),
  cursor: z.string().max(1_000).optional().meta({ description: 'From the page before' }),
});

export function applicationEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/applications',
      scope: 'read',
      summary: 'Applications with their cost so far, newest first',
      query: listQuery,
      answer: restApplications,
      async handle({ project, query }) {
        await mustBalance(deps, project);
        const { state, limit, cursor } = query;
        const page = await deps.ledger.applications(project, {
          limit,
          ...(state === undefined ? {} : { state }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        return {
          applications: page.applications.map((cost) => toRest(deps, cost)),
          cursor: page.cursor ?? null,
        };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/applications/{cluster}/{application}',
      scope: 'read',
      summary: 'One application',
      answer: restApplication,
      async handle({ project, params }) {
        const { cluster = '', application = '' } = params;
        const cost = await deps.ledger.application(project, cluster, application);
        if (cost === undefined) {
          throw new AppError('NOT_FOUND', `project ${project} has no such application`);
        }
        return toRest(deps, cost);
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/applications/{cluster}/{application}/outcomes',
      scope: 'read',
      summary: 'Charges of an application by what became of its containers, and by attempt',
      answer: restOutcomes,
      async handle({ project, params }) {
        const { cluster = '', application = '' } = params;
        const cost = await deps.ledger.application(project, cluster, application);
        if (cost === undefined) {
          throw new AppError('NOT_FOUND', `project ${project} has no such application`);
        }
        const outcomes = await deps.ledger.outcomes(project, cluster, application);
        return {
          outcomes: outcomes.map((one) => ({
            ...one,
            outcome: one.outcome as Outcome,
            containerMs: `${one.containerMs}`,
            charged: formatCredits(one.charged),
          })),
        };
      },
    }),
  ];
}
