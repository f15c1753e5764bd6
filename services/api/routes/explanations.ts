import { z } from 'zod';
import { restExplanation } from '../../../shared/contracts/rest-explanation.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitParameter } from '../http/query-schema.ts';
import {
  type Explanation,
  type ExplanationDeps,
  readApplicationExplanation,
  readChargeExplanation,
} from '../read-explanation.ts';
import { toRestExplanation } from '../rest-explanation.ts';
import { mustBalance } from './projects.ts';

const query = z.object({
  cluster: z.string().max(200).optional().meta({ description: 'Where an application runs' }),
  limit: limitParameter(10, 50),
  cursor: z.string().max(1_000).optional().meta({ description: 'From the page before' }),
});

/** The one cluster on which the project has an application of this name. */
async function clusterOf(
  { explanations }: ExplanationDeps,
  project: ProjectId,
  application: string,
): Promise<string | undefined> {
  const clusters = await explanations.clustersOf(project, application);
  if (clusters.length > 1) {
    const message = `the application is on several clusters; choose of: ${clusters.join(', ')}`;
    throw badRequest([{ path: 'query.cluster', message }]);
  }
  return clusters[0];
}

async function explanationOf(
  deps: ExplanationDeps,
  project: ProjectId,
  asked: { readonly id: string; readonly query: z.infer<typeof query> },
): Promise<Explanation | undefined> {
  const { id } = asked;
  const { cluster: named, limit, cursor } = asked.query;
  const charge = await deps.explanations.charge(project, id);
  if (charge !== undefined) return readChargeExplanation(deps, project, charge);
  const cluster = named ?? (await clusterOf(deps, project, id));
  if (cluster === undefined) return undefined;
  const page = { limit, ...(cursor === undefined ? {} : { after: cursor }) };
  return readApplicationExplanation(deps, project, { cluster, application: id }, page);
}

export function explanationEndpoints(deps: ExplanationDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/explanations/{id}',
      scope: 'read',
      summary: 'Why a charge, or an application’s charges, are what they are, computed again',
      query,
      answer: restExplanation,
      async handle({ project, params, query: asked }) {
        const { id = '' } = params;
        await mustBalance(deps, project);
        const explanation = await explanationOf(deps, project, { id, query: asked });
        if (explanation === undefined) {
          throw new AppError('NOT_FOUND', `project ${project} has no such charge or application`);
        }
        const { leaseMs } = deps.metering;
        return toRestExplanation({ project, id, leaseMs }, explanation);
      },
    }),
  ];
}
