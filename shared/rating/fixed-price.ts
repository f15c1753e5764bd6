import type { PriceEpoch } from '../contracts/charge.ts';
import type { PriceStep } from '../values/price-step.ts';

/**
 * The epochs that a project's containers pay: the pool's, or the one that its rate card fixes, for
 * as long as that card holds. Charges then carry the fixed step, and their rate card says why.
 */
export function epochsFor(
  fixed: PriceStep | undefined,
  epochs: readonly PriceEpoch[],
): readonly PriceEpoch[] {
  if (fixed === undefined) return epochs;
  return [
    {
      id: 'fixed',
      pool: '',
      step: fixed,
      start: Number.NEGATIVE_INFINITY,
      end: undefined,
      ruleVersion: 'fixed',
      reason: 'fixed by the rate card',
      inputs: '{}',
    },
  ];
}
