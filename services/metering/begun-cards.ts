import type { TariffBook } from '../../shared/rating/tariff-book.ts';
import type { FixedRateCard } from '../../shared/stores/ledger-writer.ts';
import { canonicalJson } from '../../shared/values/canonical-json.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { formatCredits } from '../../shared/values/money.ts';

/** The cards by which charges may have been made; one that is still to begin may be changed. */
export function begunCards({ cards }: TariffBook, now: Instant): FixedRateCard[] {
  return cards
    .filter(({ validFrom }) => validFrom <= now)
    .map(({ card }) => ({
      id: card.id,
      body: canonicalJson({
        coreSecond: formatCredits(card.coreSecond),
        gibSecond: formatCredits(card.gibSecond),
        gpuSecond: formatCredits(card.gpuSecond),
        rule: card.rule ?? 'additive',
        minimum: formatCredits(card.minimum ?? 0n),
      }),
    }));
}
