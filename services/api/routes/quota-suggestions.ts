import { z } from 'zod';
import { restQuotaSuggestion } from '../../../shared/contracts/rest-suggestion.ts';
import { suggestQuota } from '../../../shared/rating/suggest-quota.ts';
import { DAY_MS, formatInstant, utcHour } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'spending' | 'clock'>;

const wholeNumber = (least: number, most: number, byDefault: number) =>
  z.coerce.number().int().min(least).max(most).default(byDefault);

/** `tollgate quotas suggest`: budgets, cores and reservations from a project's history. */
export function quotaSuggestionEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/quota-suggestion',
      scope: 'read',
      summary: 'Proposes a monthly budget, cores and reservations from what a project was charged',
      query: z.object({
        days: wholeNumber(1, 730, 90).meta({ description: 'How far to look back' }),
        headroom: wholeNumber(0, 1_000, 20).meta({ description: 'Percent on top' }),
      }),
      answer: restQuotaSuggestion,
      async handle({ project, query }) {
        await mustBalance(deps, project, deps.clock.now());
        const until = utcHour(deps.clock.now());
        const window = { from: until - query.days * DAY_MS, until };
        const used = await deps.spending.hourlySpending(project, window);
        const suggested = suggestQuota(used, window, query.headroom);
        return {
          project,
          from: formatInstant(window.from),
          until: formatInstant(until),
          headroomPercent: query.headroom,
          hours: suggested.hours,
          weeks: suggested.weeks,
          growth: (suggested.growth / 1_000).toFixed(2),
          charged: formatCredits(used.reduce((sum, { amount }) => sum + amount, 0n)),
          monthlyBudget: formatCredits(suggested.monthlyBudget),
          cores: suggested.millicores / 1_000,
          reservationPerHour: formatCredits(suggested.reservationPerHour),
        };
      },
    }),
  ];
}
