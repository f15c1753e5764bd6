import type { z } from 'zod';
import type { restLimit, restLimitReason } from '../../shared/contracts/rest-limits.ts';
import type { LimitRefusal, LimitState } from '../../shared/rating/evaluate-limits.ts';
import { formatInstant } from '../../shared/values/instant.ts';
import { formatCredits } from '../../shared/values/money.ts';

/** Credits and cores as decimals, bytes as they are; all exact. */
function formatAmount(kind: LimitState['kind'], amount: bigint): string {
  if (kind === 'credits') return formatCredits(amount);
  // A millicore is to a core as a million nanocredits are to a credit.
  if (kind === 'cores') return formatCredits(amount * 1_000_000n);
  return `${amount}`;
}

export function toRestLimit(state: LimitState): z.infer<typeof restLimit> {
  const { kind, limit, used, asOf, stale } = state;
  return {
    kind,
    limit: formatAmount(kind, limit),
    used: formatAmount(kind, used),
    asOf: asOf === undefined ? null : formatInstant(asOf),
    stale,
  };
}

export function toRestReason(refusal: LimitRefusal): z.infer<typeof restLimitReason> {
  const { code, message, retryAfterMs } = refusal;
  const retryAfter = retryAfterMs === undefined ? null : Math.ceil(retryAfterMs / 1_000);
  return { ...toRestLimit(refusal), code, message, retryAfter };
}
