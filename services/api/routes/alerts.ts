import type { Alert } from '../../../shared/contracts/alert.ts';
import {
  restAlertFilter,
  restAlertHistory,
  restAlerts,
  restRuleHealth,
} from '../../../shared/contracts/rest-alerts.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { AlertFilter } from '../../../shared/stores/alert-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Caller, demandAllProjects, sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { restAlertOf } from '../rest-alert.ts';

type Deps = Pick<ApiDeps, 'alerts'>;
type Query = Pick<AlertFilter, 'limit'> & {
  state?: Alert['state'] | undefined;
  rule?: string | undefined;
};

const TRANSITIONS_MAX = 200;

function filterOf({ state, rule, limit }: Query): AlertFilter {
  return { limit, ...(state && { state }), ...(rule && { rule }) };
}

/** @throws AppError NOT_FOUND, in the same words whether it is another's or nobody's */
async function mustAlert({ alerts }: Deps, id: string, caller: Caller): Promise<Alert> {
  const alert = await alerts.alert(id);
  const { project } = alert ?? {};
  const visible = project === undefined ? caller.projects === undefined : sees(caller, project);
  if (alert !== undefined && visible) return alert;
  throw new AppError('NOT_FOUND', `there is no alert ${id}`);
}

/** What fires, why, and since when. */
export function alertEndpoints(deps: Deps): Endpoint[] {
  const { alerts } = deps;
  return [
    endpoint({
      method: 'get',
      path: '/v1/alerts',
      scope: 'read',
      summary: 'Alerts of every project and of the platform, newest first',
      query: restAlertFilter,
      answer: restAlerts,
      async handle({ query, caller }) {
        demandAllProjects(caller);
        return { alerts: (await alerts.alerts(filterOf(query))).map(restAlertOf) };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/alerts',
      scope: 'read',
      summary: 'Alerts of one project, newest first',
      query: restAlertFilter,
      answer: restAlerts,
      async handle({ project, query }) {
        const found = await alerts.alerts({ ...filterOf(query), project });
        return { alerts: found.map(restAlertOf) };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/alerts/{id}',
      scope: 'read',
      summary: 'One alert with its evidence, and what became of it over time',
      answer: restAlertHistory,
      async handle({ params, caller }) {
        const alert = await mustAlert(deps, params['id'] ?? '', caller);
        const transitions = await alerts.transitions(alert.id, TRANSITIONS_MAX);
        return {
          alert: restAlertOf(alert),
          transitions: transitions.map(({ alert: _alert, at, ...rest }) => ({
            ...rest,
            at: formatInstant(at),
          })),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/alert-rules',
      scope: 'read',
      summary: 'How each rule fares: when it was looked at last, and what went wrong',
      answer: restRuleHealth,
      async handle({ caller }) {
        demandAllProjects(caller);
        const rules = await alerts.health();
        return {
          rules: rules.map((rule) => ({ ...rule, evaluatedAt: formatInstant(rule.evaluatedAt) })),
        };
      },
    }),
  ];
}
