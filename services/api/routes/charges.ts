import { z } from 'zod';
import { bookedMonth, type Charge } from '../../../shared/contracts/charge.ts';
import { restCharges } from '../../../shared/contracts/rest.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, limitParameter, timeParameter } from '../http/query-schema.ts';
import { formatMultiplier, toRestCoverage } from '../rest-money.ts';
import { mustBalance } from './projects.ts';

function toRest(charge: Charge): z.infer<typeof restCharges>['charges'][number] {
  const { quantity } = charge;
  return {
    id: charge.id,
    type: charge.type,
    kind: charge.kind,
    cluster: charge.cluster,
    application: charge.application,
    container: charge.container,
    role: charge.role,
    hour: formatInstant(charge.hour),
    multiplier: formatMultiplier(charge.step),
    amount: formatCredits(charge.amount),
    containerMs: quantity.containerMs.toString(),
    millicoreMs: quantity.millicoreMs.toString(),
    mibMs: quantity.mibMs.toString(),
    gpuMs: quantity.gpuMs.toString(),
    rateCard: charge.rateCard,
    ruleVersion: charge.ruleVersion,
    coverage: charge.coverage,
    outcome: charge.outcome ?? '',
    storedAt: formatInstant(charge.storedAt),
    booked: bookedMonth(charge),
  };
}

export function chargeEndpoints(deps: Pick<ApiDeps, 'ledger' | 'clock'>): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/charges',
      scope: 'read',
      summary: 'Rows of the ledger, corrections included, in the order of their ids',
      query: z.object({
        from: timeParameter(now, '-1d'),
        until: timeParameter(now, 'now'),
        limit: limitParameter(500, 5_000),
        cursor: z.string().max(1_000).optional().meta({ description: 'From the page before' }),
      }),
      answer: restCharges,
      async handle({ project, query }) {
        await mustBalance(deps, project);
        const { from, until, limit, cursor } = query;
        checkWindow(query);
        const page = { limit: limit + 1, ...(cursor === undefined ? {} : { after: cursor }) };
        const found = await deps.ledger.charges(project, { from, until }, page);
        const rows = found.slice(0, limit);
        const charges = rows.map(toRest);
        const sum = (of: readonly Charge[]) => of.reduce((total, { amount }) => total + amount, 0n);
        const coverage = toRestCoverage({
          charged: sum(rows),
          inferred: sum(rows.filter((row) => row.coverage === 'inferred')),
          accrued: 0n,
        });
        return {
          charges,
          coverage,
          cursor: found.length > limit ? (charges.at(-1)?.id ?? null) : null,
        };
      },
    }),
  ];
}
