import type { Alert, AlertEvidence } from '../../../../shared/contracts/alert.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import type { Obstacle } from './plan-input.ts';

export interface EvidenceLimits {
  readonly now: Instant;
  readonly maxAgeMs: number;
  readonly clockToleranceMs: number;
  readonly agreePercent: number;
}

/** Known to be of the last moments: what is dated after now isn't. */
export function isFresh(at: Instant | undefined, limits: Omit<EvidenceLimits, 'agreePercent'>) {
  if (at === undefined) return false;
  return limits.now - at <= limits.maxAgeMs && at - limits.now <= limits.clockToleranceMs;
}

/** Sources that say the same thing further apart than the tolerance, or don't say it at all. */
function disagreement(
  evidence: readonly AlertEvidence[],
  agreePercent: number,
): string | undefined {
  for (const [what, said] of Map.groupBy(evidence, ({ what, unit }) => `${what} ${unit}`)) {
    if (new Set(said.map(({ source }) => source)).size < 2) continue;
    const values = said.flatMap(({ value }) => value ?? []);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const scale = Math.max(Math.abs(least), Math.abs(most));
    const apart = values.length < said.length || !(most - least <= (scale * agreePercent) / 100);
    if (apart)
      return `${what.trim()}: ${said.map((one) => `${one.source} ${one.value}`).join(', ')}`;
  }
  return undefined;
}

/** Why an alert is no reason to act now; undefined where it is. */
export function evidenceObstacle(alert: Alert, limits: EvidenceLimits): Obstacle | undefined {
  const { evidence } = alert;
  if (alert.state !== 'firing') return { reason: 'not-firing', detail: alert.state };
  if (alert.verdict !== 'breach' || alert.clearingSince !== undefined) {
    return { reason: 'not-in-breach', detail: alert.verdictWhy || alert.verdict };
  }
  if (alert.missingSince !== undefined) {
    return { reason: 'evidence-incomplete', detail: 'its subject is missing' };
  }
  if (alert.breaches < 2) return { reason: 'breached-once', detail: `${alert.breaches} of 2` };
  if (evidence.length === 0) return { reason: 'evidence-incomplete', detail: 'there is none' };
  const part = evidence.find(({ complete }) => !complete);
  if (part !== undefined) {
    return { reason: 'evidence-incomplete', detail: `${part.what} of ${part.source}` };
  }
  if (!isFresh(alert.evaluatedAt, limits)) {
    return { reason: 'evidence-stale', detail: 'the rule was not evaluated lately' };
  }
  const old = evidence.find(({ watermark }) => !isFresh(watermark, limits));
  if (old !== undefined)
    return { reason: 'evidence-stale', detail: `${old.what} of ${old.source}` };
  const detail = disagreement(evidence, limits.agreePercent);
  return detail === undefined ? undefined : { reason: 'sources-disagree', detail };
}
