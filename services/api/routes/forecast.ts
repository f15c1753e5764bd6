import { z } from 'zod';
import { restForecast } from '../../../shared/contracts/rest-grants.ts';
import { forecastEnd } from '../../../shared/grants/forecast-end.ts';
import { formatInstant, HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'grants' | 'clock'>;

const query = z.object({
  days: z.coerce
    .number()
    .int()
    .min(3)
    .max(90)
    .default(28)
    .meta({ description: 'Past UTC days that the coming ones are drawn from' }),
});

const toText = (at: Instant | undefined): string | null =>
  at === undefined ? null : formatInstant(at);

export function forecastEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/forecast',
      scope: 'read',
      summary: 'When the credits end if the coming days are like the past ones, with a band',
      query,
      answer: restForecast,
      async handle({ project, query: { days } }) {
        const now = deps.clock.now();
        const { accrued, perHour } = await mustBalance(deps, project, now);
        const { grants, charges } = await deps.grants.book(project);
        // Asked again within the hour, the same futures are drawn.
        const seed = Math.floor(now / HOUR_MS);
        const told = forecastEnd({ grants, charges, accrued, perHour, now, days, seed });
        return {
          project,
          at: formatInstant(now),
          outcome: told.outcome,
          reason: told.reason,
          ends: toText(told.median),
          earliest: toText(told.p10),
          latest: toText(told.p90),
          until: formatInstant(told.until),
          historyDays: told.historyDays,
        };
      },
    }),
  ];
}
