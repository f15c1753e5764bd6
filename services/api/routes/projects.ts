import type { z } from 'zod';
import { restBalance, restProject, restProjects } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Balance } from '../../../shared/stores/ledger-reader.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { toRestBalance } from '../rest-money.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'isShadow' | 'clock'>;

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
  ];
}
