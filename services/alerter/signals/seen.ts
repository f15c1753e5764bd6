import type { AlertEvidence } from '../../../shared/contracts/alert.ts';
import type { Instant } from '../../../shared/values/instant.ts';

/** A number that was looked at, whole. */
export function seen(
  [what, value, unit]: readonly [what: string, value: number | undefined, unit: string],
  source: string,
  watermark: Instant | undefined,
): AlertEvidence {
  return { what, value, unit, source, watermark, complete: true };
}
