import { restRateCards } from '../../../shared/contracts/rest-periods.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';

export function rateCardEndpoints({ tariff }: Pick<ApiDeps, 'tariff'>): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/rate-cards',
      scope: 'read',
      summary: 'Every rate card: for which pool and market, from when on, and what it asks',
      answer: restRateCards,
      async handle() {
        const rateCards = tariff.cards.map(({ card, pool, market, validFrom }) => ({
          id: card.id,
          pool: pool ?? null,
          market: market ?? null,
          validFrom: formatInstant(validFrom),
          rule: card.rule ?? ('additive' as const),
          coreSecond: formatCredits(card.coreSecond),
          gibSecond: formatCredits(card.gibSecond),
          gpuSecond: formatCredits(card.gpuSecond),
          minimum: formatCredits(card.minimum ?? 0n),
        }));
        return { rateCards };
      },
    }),
  ];
}
