import type { z } from 'zod';
import {
  restBalance,
  restGrant,
  restGrantRequest,
  restGrants,
  restProject,
  restProjects,
} from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import type { Grant } from '../../../shared/stores/grant-store.ts';
import type { Balance } from '../../../shared/stores/ledger-reader.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { formatCredits, parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { toRestBalance } from '../rest-money.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'grants' | 'isShadow' | 'clock'>;

const grantRequest = restGrantRequest.extend({
  credits: restGrantRequest.shape.credits.refine((text) => (parseCredits(text) ?? 0n) !== 0n, {
    error: 'must be an exact decimal with at most nine decimals, and not 0',
  }),
});

function toRestGrant(grant: Grant) {
  return {
    id: grant.id,
    project: grant.project,
    credits: formatCredits(grant.amount),
    reason: grant.reason,
    grantedAt: formatInstant(grant.grantedAt),
  };
}

/** The balance, or the 404 of a project that nobody knows. */
export async function mustBalance(
  { ledger }: Pick<ApiDeps, 'ledger'>,
  project: ProjectId,
  now?: Instant,
): Promise<Balance> {
  const balance = await ledger.balance(project, now);
  if (balance === undefined) throw new AppError('NOT_FOUND', `there is no project ${project}`);
  return balance;
}

function toRestProject(
  { isShadow }: Pick<Deps, 'isShadow'>,
  balance: Balance,
  runningApplications = 0,
): z.infer<typeof restProject> {
  const id = balance.project;
  const told = toRestBalance(balance, isShadow(id));
  return { id, name: id, tags: {}, balance: told, runningApplications };
}

export function projectEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects',
      scope: 'read',
      summary: 'All projects with balance and burn rate',
      answer: restProjects,
      async handle({ caller }) {
        const running = await deps.ledger.runningCounts();
        const projects: z.infer<typeof restProject>[] = [];
        for (const id of await deps.ledger.projects()) {
          if (!sees(caller, id)) continue;
          const balance = await deps.ledger.balance(id, deps.clock.now());
          if (balance !== undefined) projects.push(toRestProject(deps, balance, running.get(id)));
        }
        return { projects };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}',
      scope: 'read',
      summary: 'One project',
      answer: restProject,
      async handle({ project }) {
        const balance = await mustBalance(deps, project, deps.clock.now());
        return toRestProject(deps, balance, (await deps.ledger.runningCounts()).get(project));
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/balance',
      scope: 'read',
      summary: 'Balance: granted − charged − accrued − reserved',
      answer: restBalance,
      handle: async ({ project }) =>
        toRestBalance(await mustBalance(deps, project, deps.clock.now()), deps.isShadow(project)),
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/grants',
      scope: 'read',
      summary: 'Credits given',
      answer: restGrants,
      async handle({ project }) {
        await mustBalance(deps, project);
        return { grants: (await deps.grants.grants(project)).map(toRestGrant) };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/projects/{project}/grants',
      scope: 'admin',
      summary: 'Gives credits; the same id again is a no-op',
      body: grantRequest,
      answer: restGrant,
      status: 201,
      async handle({ project, body }) {
        const amount = must(parseCredits(body.credits), 'credits that the schema let pass');
        const grant: Grant = {
          id: body.id,
          project,
          amount,
          reason: body.reason,
          grantedAt: deps.clock.now(),
        };
        await deps.grants.grant(grant);
        const stored = (await deps.grants.grants(project)).find(({ id }) => id === grant.id);
        return toRestGrant(stored ?? grant);
      },
    }),
  ];
}
