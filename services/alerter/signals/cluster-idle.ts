import {
  ACTIVITY_SIGNALS,
  type ActivitySight,
  type ActivitySignal,
  type ClusterSight,
} from '../../../shared/clusters/cluster-actuator.ts';
import type { AlertEvidence } from '../../../shared/contracts/alert.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';

/** What is known of one signal: when there was some last, who says so, up to when. */
export interface ToldActivity extends ActivitySight {}

export interface ClusterIdle {
  /** Seconds without any activity; undefined where a signal is unknown. */
  readonly idleSeconds: number | undefined;
  readonly why: string;
  readonly evidence: readonly AlertEvidence[];
}

/** What was told longer ago doesn't say that there is none now. */
const FRESH_MS = 10 * MINUTE_MS;

/** Absence is told by who sees all of a signal, and lately; activity by anybody. */
function tellsAbsence({ lastAt, asOf, complete }: ToldActivity, at: Instant): boolean {
  return lastAt !== undefined && complete && asOf >= at - FRESH_MS;
}

function ofSignal(
  signal: ActivitySignal,
  told: readonly ToldActivity[],
  at: Instant,
): { lastAt: Instant | undefined; evidence: AlertEvidence[] } {
  const mine = told.filter((one) => one.signal === signal && (one.lastAt ?? 0) <= at);
  const evidence = mine.map(({ lastAt, asOf, source, complete }) => ({
    what: `seconds without ${signal}`,
    value: lastAt === undefined ? undefined : Math.max(0, at - lastAt) / SECOND_MS,
    unit: 's',
    source,
    watermark: Math.min(asOf, at),
    complete,
  }));
  const isKnown = mine.some((one) => tellsAbsence(one, at));
  const last = Math.max(...mine.map(({ lastAt }) => lastAt ?? Number.NEGATIVE_INFINITY));
  return { lastAt: isKnown ? last : undefined, evidence };
}

/**
 * Idle is an AND over all signals: as long as the one that was active last. A signal that nobody
 * tells whole and lately makes it unknown, which is not idle.
 */
export function clusterIdle(told: readonly ToldActivity[], at: Instant): ClusterIdle {
  const signals = ACTIVITY_SIGNALS.map((signal) => ({ signal, ...ofSignal(signal, told, at) }));
  const evidence = signals.flatMap((one) => one.evidence);
  const unknown = signals.filter(({ lastAt }) => lastAt === undefined);
  if (unknown.length > 0) {
    const names = unknown.map(({ signal }) => signal).join(', ');
    return { idleSeconds: undefined, why: `unknown: ${names}`, evidence };
  }
  const last = Math.max(...signals.map(({ lastAt }) => lastAt ?? Number.NEGATIVE_INFINITY));
  return { idleSeconds: Math.max(0, at - last) / SECOND_MS, why: '', evidence };
}

/** What follows for every signal from a cluster that has nothing allocated: nobody is at work there. */
export function quietActivity(
  { since, asOf }: { readonly since: Instant; readonly asOf: Instant },
  source: string,
): ToldActivity[] {
  return ACTIVITY_SIGNALS.map((signal) => ({
    signal,
    lastAt: since,
    asOf,
    source,
    complete: true,
  }));
}

/** What a manager tells itself; nothing of one that isn't running. */
export function activityOf(sight: ClusterSight | undefined): readonly ToldActivity[] {
  return sight?.outcome === 'seen' && sight.state === 'running' ? sight.activity : [];
}
