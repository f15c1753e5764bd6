import type { z } from 'zod';
import { restStop, restStopRequest, restStops } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { StoredStop } from '../../../shared/stores/stop-orders.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'stopOrders' | 'clock'>;

const PATH = '/v1/projects/{project}/applications/{cluster}/{application}/stops';

function toRest(stop: StoredStop): z.infer<typeof restStop> {
  const { clean, orderedAt, updatedAt, ...rest } = stop;
  return {
    ...rest,
    orderedAt: formatInstant(orderedAt),
    clean: clean ?? null,
    updatedAt: formatInstant(updatedAt),
  };
}

/** What the path names, or the 404 of what another project owns or nobody does. */
async function mustApplication(
  { ledger }: Pick<Deps, 'ledger'>,
  project: ProjectId,
  params: Readonly<Record<string, string>>,
) {
  const { cluster = '', application = '' } = params;
  const found = await ledger.application(project, cluster, application);
  if (found !== undefined) return found;
  throw new AppError('NOT_FOUND', `project ${project} has no such application`);
}

/** Graceful stops: the API writes the order, the application's agent hears of it and reports. */
export function stopEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: PATH,
      scope: 'admin',
      summary: 'Asks the agent of a streaming application to end it between two batches',
      body: restStopRequest,
      answer: restStop,
      status: 202,
      async handle({ project, params, body, caller }) {
        const { cluster, application, state } = await mustApplication(deps, project, params);
        if (state === 'ended') {
          throw new AppError('CONFLICT', `the application ${application} has ended already`);
        }
        const orderedBy = caller.label;
        const order = { ...body, cluster, application, orderedBy, orderedAt: deps.clock.now() };
        return toRest(await deps.stopOrders.order(order));
      },
    }),
    endpoint({
      method: 'get',
      path: PATH,
      scope: 'read',
      summary: 'Stops that were asked of an application, newest first',
      answer: restStops,
      async handle({ project, params }) {
        const { cluster, application } = await mustApplication(deps, project, params);
        const stops = await deps.stopOrders.ofApplication(cluster, application);
        return { stops: stops.map(toRest) };
      },
    }),
  ];
}
