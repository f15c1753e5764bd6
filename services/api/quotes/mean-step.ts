import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import { cutAtEpochs } from '../../../shared/rating/rate-interval.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import { BASE_STEP, type PriceStep } from '../../../shared/values/price-step.ts';

/** The price of a span, each step by its time, in whole thousandths; of an empty one that at its start. */
export function meanStep(span: Interval, epochs: readonly PriceEpoch[]): PriceStep {
  const end = Math.max(span.end, span.start + 1);
  let sum = 0;
  for (const piece of cutAtEpochs({ start: span.start, end }, epochs)) {
    sum += piece.step * (piece.end - piece.start);
  }
  return Math.round(sum / (end - span.start)) || BASE_STEP;
}
